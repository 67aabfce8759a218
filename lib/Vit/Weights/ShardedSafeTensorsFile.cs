using System.Text.Json;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>
/// A checkpoint in several safetensors files, read as one. Its index is <c>{"weight_map": {"name": "file"}}</c>, and
/// each file must hold exactly what the index says.
/// </summary>
public sealed class ShardedSafeTensorsFile : TensorFile
{
    readonly string path;
    readonly Dictionary<string, SafeTensorsFile> files = [];
    readonly Dictionary<string, StoredTensor> tensors = [];
    readonly Dictionary<string, SafeTensorsFile> fileOf = [];

    /// <summary>Opens an index and every file that it names.</summary>
    /// <exception cref="InvalidDataException">The index or a file is damaged, they contradict each other, or the index names a file outside its own folder.</exception>
    /// <exception cref="FileNotFoundException">The index or a file does not exist.</exception>
    public ShardedSafeTensorsFile(string path)
    {
        this.path = path;
        try
        {
            OpenAll();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, StoredTensor> Tensors => tensors;

    /// <inheritdoc/>
    public override Tensor Read(string name) => FileOf(name).Read(name);

    internal override void ReadInto(string name, Tensor target) => FileOf(name).ReadInto(name, target);

    SafeTensorsFile FileOf(string name) => fileOf.TryGetValue(name, out var file) ? file : throw new KeyNotFoundException($"{path} has no tensor '{name}'.");

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var file in files.Values)
            file.Dispose();
    }

    void OpenAll()
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        using var json = JsonFile.Read(path);
        if (json.RootElement is not { ValueKind: JsonValueKind.Object } root
            || !root.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{path} is no index of safetensors files: it has no \"weight_map\" of names to files.");
        foreach (var entry in map.EnumerateObject())
        {
            var name = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            // Both separators on every platform: an index that leaves its folder anywhere is refused everywhere.
            if (name.AsSpan().IndexOfAny('/', '\\', ':') >= 0 || name is "" or "." or "..")
                throw new InvalidDataException($"{path}, tensor '{Shortened(entry.Name)}': {Shortened(entry.Value.GetRawText())} is no file of the index's own folder.");
            if (!files.TryGetValue(name, out var file))
                files.Add(name, file = new SafeTensorsFile(Path.Combine(folder, name)));
            if (!file.Tensors.TryGetValue(entry.Name, out var stored))
                throw new InvalidDataException($"{path}, tensor '{Shortened(entry.Name)}': {Shortened(name)} does not hold it.");
            tensors.Add(entry.Name, stored);
            fileOf.Add(entry.Name, file);
        }
        foreach (var (name, file) in files)
            if (file.Tensors.Keys.FirstOrDefault(tensor => fileOf.GetValueOrDefault(tensor) != file) is string stray)
                throw new InvalidDataException($"{path}: {Shortened(name)} holds '{Shortened(stray)}', and the index does not say so.");
    }
}
