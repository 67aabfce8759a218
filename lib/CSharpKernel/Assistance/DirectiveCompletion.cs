using System.Text.RegularExpressions;

namespace CSharpKernel.Assistance;

/// <summary>Completes the directives, and the paths and packages that they name.</summary>
static partial class DirectiveCompletion
{
    static readonly string[] Names = ["csharp", "html", "import", "markdown", "time", "who", "whos"];

    /// <summary>Completes at the cursor.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">The cursor.</param>
    /// <param name="folder">To which paths are relative.</param>
    /// <returns>Null if no directive stands there.</returns>
    public static Completions? Complete(string code, int cursor, string folder)
    {
        var line = code[(code.AsSpan(0, cursor).LastIndexOf('\n') + 1)..cursor];
        if (Directive().Match(line) is not { Success: true } match)
        {
            return null;
        }

        Completions Of(Group typed, IEnumerable<Completion> matches) =>
            new([.. matches.Where(m => m.Text.StartsWith(typed.Value, StringComparison.OrdinalIgnoreCase))], cursor - typed.Length, cursor);

        var groups = match.Groups;
        return groups["name"].Success ? Of(groups["name"], Names.Select(n => new Completion("#!" + n, "keyword", "")))
            : groups["version"].Success ? Of(groups["version"], Versions(groups["package"].Value).Select(v => new Completion(v, "value", "")))
            : groups["package"].Success ? Of(groups["package"], Packages(groups["package"].Value))
            : groups["import"].Success ? Paths(groups["import"], ".cs", ".csx", ".ipynb", ".dib")
            : OrNuget(Paths(groups["path"], ".dll"));

        Completions OrNuget(Completions paths) => "nuget: ".StartsWith(groups["path"].Value, StringComparison.OrdinalIgnoreCase)
            ? paths with { Matches = [.. paths.Matches, new Completion("nuget: ", "keyword", "")] }
            : paths;

        Completions Paths(Group typed, params string[] extensions)
        {
            var last = typed.Value.LastIndexOfAny(['/', '\\']) + 1;
            var parent = typed.Value.Contains('\0') ? folder : Path.GetFullPath(typed.Value[..last], folder);
            var prefix = typed.Value[last..];
            var entries = Directory.Exists(parent)
                ? new DirectoryInfo(parent).EnumerateFileSystemInfos("*", new EnumerationOptions { IgnoreInaccessible = true })
                    .Where(e => e is DirectoryInfo || extensions.Contains(e.Extension, StringComparer.OrdinalIgnoreCase))
                    .OrderBy(e => e is FileInfo).ThenBy(e => e.Name, StringComparer.OrdinalIgnoreCase)
                    .Select(e => e is DirectoryInfo ? e.Name + "/" : e.Name).Prepend("../")
                : [];
            return new([.. entries.Where(n => n.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).Select(n => new Completion(n, "path", ""))], cursor - prefix.Length, cursor);
        }
    }

    /// <summary>The packages that NuGet has on this machine: others cannot be known without asking a server.</summary>
    static string PackageFolder =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    static IEnumerable<Completion> Packages(string prefix) => !Directory.Exists(PackageFolder) ? [] :
        from folder in new DirectoryInfo(PackageFolder).EnumerateDirectories()
        where folder.Name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
        orderby folder.Name
        let newest = Versions(folder.Name).FirstOrDefault()
        where newest is not null
        // The folder's name has lost the case of the package's.
        let id = PackageId().Match(File.ReadAllText(Path.Combine(folder.FullName, newest, folder.Name + ".nuspec"))).Groups["id"].Value
        select new Completion(id, "module", newest);

    /// <summary>Of a package, the newest first.</summary>
    static IEnumerable<string> Versions(string package)
    {
        var folder = new DirectoryInfo(Path.Combine(PackageFolder, package.ToLowerInvariant()));
        return !folder.Exists ? [] :
            from version in folder.EnumerateDirectories()
            where File.Exists(Path.Combine(version.FullName, folder.Name + ".nuspec"))
            let parts = version.Name.Split('-', 2)
            orderby Version.TryParse(parts[0], out var number) ? number : null descending, parts.Length, version.Name descending
            select version.Name;
    }

    [GeneratedRegex("""
        ^(?<name>\#!\w*)$ | ^\#(!import\s+"?|load\s+")(?<import>[^"]*)$
        | ^\s*\#r\s+"(\s*nuget:\s*(?<package>[^,\s"]*)(\s*,\s*(?<version>[^\s"]*))?|(?<path>[^"]*))$
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.IgnoreCase)]
    private static partial Regex Directive();

    [GeneratedRegex("<id>(?<id>[^<]+)</id>")]
    private static partial Regex PackageId();
}
