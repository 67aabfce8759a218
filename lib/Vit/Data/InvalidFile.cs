namespace Vit.Data;

/// <summary>One wording for every damaged file: its name, what was found, what was expected.</summary>
static class InvalidFile
{
    public static InvalidDataException Because(string file, string found, string expected, Exception? inner = null) =>
        new($"{file}: found {found}, expected {expected}.", inner);

    /// <param name="path">The file.</param>
    /// <param name="remedy">What to do where there is none.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static FileStream Open(string path, string? remedy = null) => File.Exists(path)
        ? File.OpenRead(path)
        : throw new FileNotFoundException($"{path}: there is no such file.{(remedy is null ? "" : $" {remedy}")}", path);
}
