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
        json = File.Exists(path) ? JsonFile.Read(path, duplicates: true) : null;
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

    public bool? Flag(string name) => Find(name)?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    public string? Text(params string[] names) => Find(names) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

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

    /// <summary>What a class is called that nobody named.</summary>
    public static string ClassName(int id) => $"class {id}";

    /// <summary>The names of the classes, in order. What the file says and cannot be meant refuses nothing: it is remarked.</summary>
    public IReadOnlyList<string> ClassNames(int classes, ICollection<string> remarks)
    {
        var names = Enumerable.Range(0, classes).Select(ClassName).ToArray();
        List<(int Id, string Name)> told;
        if (Find("label_names") is { ValueKind: JsonValueKind.Array } list)
            told = [.. list.EnumerateArray().Select((name, id) => (id, name.ToString()))];
        else if (Find("id2label") is not { } labels)
            return names;
        else if (labels.ValueKind == JsonValueKind.Object)
            told = [.. labels.EnumerateObject().Select(label => (int.TryParse(label.Name, out var id) ? id : -1, label.Value.ToString()))];
        else
            throw Unfit(["id2label"], labels, "an object of names by number");
        var named = told.Where(label => label.Id >= 0 && label.Id < classes).ToList();
        foreach (var (id, name) in named)
            names[id] = name;
        var found = named.Select(label => label.Id).Distinct().Count();
        if (found != classes || told.Count != classes)
            remarks.Add($"{path} names {told.Count} classes, and {found} of the model's {classes} by their number; the others are called by that.");
        return names;
    }

    /// <summary>Hugging Face's number of a PIL filter, or timm's name of it.</summary>
    public Interpolation? Interpolation() =>
        Find("resample") is { } filter
            ? filter.ValueKind == JsonValueKind.Number && filter.TryGetInt32(out var number) && number is 2 or 3
                ? number == 3 ? Data.Interpolation.Bicubic : Data.Interpolation.Bilinear
                : throw Unfit(["resample"], filter, "2 (bilinear) or 3 (bicubic)")
        : Find("interpolation") is { } named
            ? (named.ValueKind == JsonValueKind.String ? named.GetString() : null) switch
            {
                "bicubic" => Data.Interpolation.Bicubic,
                "bilinear" => Data.Interpolation.Bilinear,
                _ => throw Unfit(["interpolation"], named, "\"bilinear\" or \"bicubic\""),
            }
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
