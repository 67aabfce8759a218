using System.Text.Json;

namespace Vit.Weights;

/// <summary>The index of a checkpoint in several safetensors files: <c>{"weight_map": {"name": "file"}}</c>.</summary>
static class ShardIndex
{
    const long Longest = 100_000_000;

    /// <summary>The files, each with the names of the tensors that it must hold.</summary>
    /// <exception cref="InvalidDataException">It is no such index, or it names a file outside its own folder.</exception>
    public static Dictionary<string, HashSet<string>> Read(string path)
    {
        var length = new FileInfo(path).Length;
        if (length > Longest)
            throw new InvalidDataException($"{path} has {length} bytes, and an index has at most {Longest}.");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var files = new Dictionary<string, HashSet<string>>();
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (var entry in json.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                var file = entry.Value.GetString() ?? "";
                // Both separators on every platform: an index that leaves its folder anywhere is refused everywhere.
                if (file.AsSpan().IndexOfAny('/', '\\', ':') >= 0 || file is "" or "." or "..")
                    throw new InvalidDataException($"{path}, tensor '{entry.Name}': '{file}' is no file of the index's own folder.");
                var full = Path.Combine(folder, file);
                if (!files.TryGetValue(full, out var names))
                    files.Add(full, names = []);
                names.Add(entry.Name);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path} is no index of safetensors files, an object with a \"weight_map\" of names to files: {exception.Message}", exception);
        }
        return files;
    }
}
