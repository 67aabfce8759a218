using System.Text.Json;

namespace Vit.Weights;

/// <summary>Reads the JSON files that stand beside weights.</summary>
static class JsonFile
{
    const long Longest = 100_000_000;

    /// <exception cref="InvalidDataException">It is no valid JSON, or too large for a file of this kind.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static JsonDocument Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (stream.Length > Longest)
            throw new InvalidDataException($"{path} has {stream.Length} bytes, and such a file has at most {Longest}.");
        try
        {
            return JsonDocument.Parse(stream, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{path} is no valid JSON: {exception.Message}", exception);
        }
    }
}
