namespace Vit.Data;

/// <summary>One wording for every damaged file: its name, what was found, what was expected.</summary>
static class InvalidFile
{
    public static InvalidDataException Because(string file, string found, string expected, Exception? inner = null) =>
        new($"{file}: found {found}, expected {expected}.", inner);

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static FileStream Open(string path) => File.Exists(path)
        ? File.OpenRead(path)
        : throw new FileNotFoundException($"{path}: there is no such file.", path);
}
