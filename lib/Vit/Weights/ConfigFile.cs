using System.Text.Json;
using Vit.Data;

namespace Vit.Weights;

/// <summary>
/// The settings beside a checkpoint: Hugging Face's <c>config.json</c> and <c>preprocessor_config.json</c>, timm's
/// <c>config.json</c> with its <c>model_args</c> and <c>pretrained_cfg</c>.
/// </summary>
sealed class ConfigFile : IDisposable
{
    readonly string path;
    readonly JsonDocument? json;
    readonly JsonElement[] objects;

    /// <summary>Reads a file; where it does not exist, nothing is set.</summary>
    /// <exception cref="InvalidDataException">It is no JSON object.</exception>
    public ConfigFile(string path)
    {
        this.path = path;
        json = File.Exists(path) ? JsonFile.Read(path) : null;
        if (json is not null && json.RootElement.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{path} is no JSON object.");
        objects = json is null ? [] : [.. ((string[])["model_args", "pretrained_cfg"])
            .Select(name => json.RootElement.TryGetProperty(name, out var nested) ? nested : default)
            .Prepend(json.RootElement)
            .Where(element => element.ValueKind == JsonValueKind.Object)];
    }

    public int? Integer(params string[] names) =>
        Find(names) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0 ? number
        : throw Unfit(names, value, "a whole number above 0");

    public double? Number(params string[] names) =>
        Find(names) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number > 0 ? number
        : throw Unfit(names, value, "a number above 0");

    public bool Flag(string name) => Find(name) is { ValueKind: JsonValueKind.True };

    public string? Text(params string[] names) => Find(names) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public IReadOnlyList<int>? Integers(string name) => Numbers(name)?.Select(number => (int)number).ToArray();

    public IReadOnlyList<float>? Numbers(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Number))
            throw Unfit([name], value, "a list of numbers");
        return [.. value.EnumerateArray().Select(item => item.GetSingle())];
    }

    /// <summary>Height and width: one number, [H, W], [C, H, W], or an object with both or with the shorter side.</summary>
    public (int Height, int Width)? Size(params string[] names)
    {
        if (Find(names) is not { } value)
            return null;
        int[] sizes = value.ValueKind switch
        {
            JsonValueKind.Number => [Whole(value)],
            JsonValueKind.Array => [.. value.EnumerateArray().TakeLast(2).Select(Whole)],
            JsonValueKind.Object when value.TryGetProperty("shortest_edge", out var edge) => [Whole(edge)],
            JsonValueKind.Object when value.TryGetProperty("height", out var height) && value.TryGetProperty("width", out var width) => [Whole(height), Whole(width)],
            _ => [],
        };
        return sizes.Length > 0 && sizes.All(size => size > 0) ? (sizes[0], sizes[^1]) : throw Unfit(names, value, "a size");

        static int Whole(JsonElement element) => element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var number) ? number : 0;
    }

    /// <summary>The names of the classes, in order; null where the file has none.</summary>
    public IReadOnlyList<string>? ClassNames()
    {
        if (Find("label_names") is { ValueKind: JsonValueKind.Array } list)
            return [.. list.EnumerateArray().Select(name => name.ToString())];
        if (Find("id2label") is not { } labels)
            return null;
        if (labels.ValueKind != JsonValueKind.Object)
            throw Unfit(["id2label"], labels, "an object of names by number");
        var count = labels.EnumerateObject().Count();
        var names = new string[count];
        foreach (var label in labels.EnumerateObject())
            if (int.TryParse(label.Name, out var id) && id >= 0 && id < count)
                names[id] = label.Value.ToString();
        return names.Contains(null) ? throw new InvalidDataException($"{path}: id2label does not number its {count} names from 0 on.") : names;
    }

    /// <summary>Hugging Face's number of a PIL filter, or timm's name of it.</summary>
    public Interpolation? Interpolation() =>
        Integer("resample") is int filter ? filter == 3 ? Data.Interpolation.Bicubic : Data.Interpolation.Bilinear
        : Text("interpolation") is string name ? name == "bicubic" ? Data.Interpolation.Bicubic : Data.Interpolation.Bilinear
        : null;

    public Normalization? Normalization(string mean, string deviation) =>
        Numbers(mean) is { Count: > 0 } means && Numbers(deviation) is { Count: > 0 } deviations && means.Count == deviations.Count
            ? new Normalization(means, deviations)
            : null;

    public void Dispose() => json?.Dispose();

    JsonElement? Find(params string[] names)
    {
        foreach (var element in objects)
            foreach (var name in names)
                if (element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
                    return value;
        return null;
    }

    InvalidDataException Unfit(string[] names, JsonElement value, string expected)
    {
        var text = value.GetRawText();
        return new($"{path}: {names[0]} is {(text.Length > 100 ? text[..100] + "…" : text)}, expected was {expected}.");
    }
}
