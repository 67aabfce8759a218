using System.Text.Json;

namespace Vit.Weights;

/// <summary>Reads the JSON files that stand beside weights.</summary>
static class JsonFile
{
    const long Longest = 100_000_000;

    /// <param name="path">The file.</param>
    /// <param name="duplicates">Whether a name may stand in an object twice; as in Python's reader, the last counts.</param>
    /// <exception cref="InvalidDataException">It is no valid JSON, or too large for a file of this kind.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static JsonDocument Read(string path, bool duplicates = false)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (stream.Length > Longest)
            throw new InvalidDataException($"{path} has {stream.Length} bytes, and such a file has at most {Longest}.");
        try
        {
            var json = JsonDocument.Parse(stream, new JsonDocumentOptions { AllowDuplicateProperties = duplicates });
            ReadStrings(json.RootElement);
            return json;
        }
        // InvalidOperationException: a string that is no valid UTF-8 or escapes half a surrogate pair.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path} is no valid JSON: {exception.Message}", exception);
        }
    }

    // The parser leaves that to whoever asks for one.
    static void ReadStrings(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
            _ = element.GetString();
        else if (element.ValueKind == JsonValueKind.Array)
            foreach (var item in element.EnumerateArray())
                ReadStrings(item);
        else if (element.ValueKind == JsonValueKind.Object)
            foreach (var property in element.EnumerateObject())
            {
                _ = property.Name;
                ReadStrings(property.Value);
            }
    }
}
