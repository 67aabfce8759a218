namespace Notebooks;

/// <summary>The notebooks of a folder (<c>NN-name.ipynb</c>) and those of its <c>solutions</c>, in order.</summary>
/// <param name="folder">The folder.</param>
sealed class Series(string folder)
{
    const string Extension = ".ipynb";

    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>Names without extension, with '/' between folder and file on every platform.</summary>
    public IReadOnlyList<string> Names { get; } = [.. In(folder, ""), .. In(Path.Combine(folder, "solutions"), "solutions/")];

    /// <summary>The file of a notebook below a folder of the same layout.</summary>
    public static string PathOf(string folder, string name) => Path.Combine([folder, .. (name + Extension).Split('/')]);

    /// <summary>The named notebooks, in the series' order; all, where no name is given.</summary>
    /// <param name="wanted">Numbers, names or <c>solutions</c>.</param>
    /// <exception cref="ArgumentException">A name fits no notebook; the message lists those that there are.</exception>
    public IReadOnlyList<string> Select(IReadOnlyList<string> wanted)
    {
        if (wanted.Count == 0)
        {
            return Names;
        }

        var patterns = wanted.Select(w => w.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? w[..^Extension.Length] : w.TrimEnd('/', '\\'))
            .Select(w => w.Replace('\\', '/')).ToList();
        foreach (var (pattern, text) in patterns.Zip(wanted))
        {
            if (!Names.Any(n => Fits(n, pattern)))
            {
                throw new ArgumentException($"There is no notebook '{text}'; there are:\n  {string.Join("\n  ", Names)}");
            }
        }

        return [.. Names.Where(n => patterns.Any(p => Fits(n, p)))];
    }

    /// <summary>The folder of the solution, above a folder in it.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none.</exception>
    public static string FindRoot(string start)
    {
        for (var at = new DirectoryInfo(start); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "vit-notebooks.sln")))
            {
                return at.FullName;
            }
        }

        throw new DirectoryNotFoundException($"'{start}' does not lie in the repository: no folder above it holds vit-notebooks.sln.");
    }

    static bool Fits(string name, string pattern) =>
        name.Equals(pattern, StringComparison.OrdinalIgnoreCase)
        || name.StartsWith(pattern + "-", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith(pattern + "/", StringComparison.OrdinalIgnoreCase);

    static IEnumerable<string> In(string folder, string prefix) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*" + Extension).Select(f => Path.GetFileNameWithoutExtension(f)).Where(f => char.IsAsciiDigit(f[0])).Order(StringComparer.Ordinal).Select(f => prefix + f)
        : [];
}
