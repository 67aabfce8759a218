namespace Vit.Data;

/// <summary>One wording for every damaged file: its name, what was found, what was expected.</summary>
static class InvalidFile
{
    public static InvalidDataException Because(string file, string found, string expected, Exception? inner = null) =>
        new($"{file}: found {found}, expected {expected}.", inner);

    /// <param name="path">The file.</param>
    /// <param name="remedy">What to do where there is none.</param>
    /// <param name="most">How many bytes it may have.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is empty, too large, or no file that ends: opening a pipe waits for ever.</exception>
    public static FileStream Open(string path, string? remedy = null, long most = long.MaxValue)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: there is no such file.{(remedy is null ? "" : $" {remedy}")}", path);
        // A link has the length of its target's name.
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        if (new FileInfo(target).Length == 0)
            throw Because(path, "an empty file, or none but a pipe or a device", "a file with something in it");
        var file = File.OpenRead(path);
        if (file.Length <= most)
            return file;
        using (file)
            throw Because(path, $"{file.Length} bytes", $"at most {most}");
    }
}
