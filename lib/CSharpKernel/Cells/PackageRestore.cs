using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace CSharpKernel.Cells;

/// <summary>The files of NuGet packages and of all that they need, for the running platform.</summary>
/// <param name="Compile">What the compiler references.</param>
/// <param name="Runtime">What is loaded.</param>
/// <param name="Native">Native libraries.</param>
/// <param name="Scripts">Notebooks of packages that extend a kernel when it loads them, as .NET Interactive runs them.</param>
/// <param name="Versions">The version of each package that was taken.</param>
sealed partial record PackageRestore(
    IReadOnlyList<string> Compile, IReadOnlyList<string> Runtime, IReadOnlyList<string> Native, IReadOnlyList<string> Scripts, IReadOnlyDictionary<string, string> Versions)
{
    static readonly string Script = Path.Combine("interactive-extensions", "dotnet", "extension.dib");

    /// <summary>Restores packages as a project that references them would; a set that was restored before is taken from the cache.</summary>
    /// <param name="packages">Names and versions; an empty version takes the newest.</param>
    /// <param name="sources">Where packages are looked for besides what NuGet.Config names.</param>
    /// <param name="folder">Whose NuGet.Config counts, or that of a folder above it.</param>
    /// <param name="cancellation">Kills the restore.</param>
    /// <exception cref="InvalidOperationException">NuGet could not; the message holds its reason.</exception>
    public static PackageRestore Of(IReadOnlyList<(string Name, string Version)> packages, IReadOnlyList<string> sources, string folder, CancellationToken cancellation)
    {
        var project = Project(packages, sources, folder);
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(project)))[..32];
        var cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "CSharpKernel", "packages");
        var assets = Path.Combine(cache, key, "obj", "project.assets.json");

        if (Read(assets) is { } cached)
        {
            return cached;
        }

        var work = Path.Combine(cache, $"{key}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(work);
        try
        {
            File.WriteAllText(Path.Combine(work, "packages.csproj"), project);
            var reason = Restore(work, cancellation);
            if (reason is not null)
            {
                throw new InvalidOperationException(reason);
            }

            Directory.CreateDirectory(Path.GetDirectoryName(assets)!);
            File.Move(Path.Combine(work, "obj", "project.assets.json"), assets, overwrite: true);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        return Read(assets) ?? throw new InvalidOperationException("the restored files are gone from the package folder.");
    }

    /// <summary>Whether a version is what was asked for: none, itself, a floating one as <c>2.*</c>, or of a range as <c>[2.0, 3.0)</c>.</summary>
    public static bool Satisfies(string version, string wanted)
    {
        var floating = wanted.EndsWith("*-*", StringComparison.Ordinal) ? wanted[..^2] : wanted;
        if (wanted.Length == 0 || wanted == version || floating.EndsWith('*') && version.StartsWith(floating[..^1], StringComparison.Ordinal))
        {
            return true;
        }

        if (Number(version) is not { } number)
        {
            return false;
        }

        if (Range().Match(wanted) is not { Success: true } range)
        {
            // 2.0 and 2.0.0 are one version.
            return !version.Contains('-') && !wanted.Contains('-') && Number(wanted) == number;
        }

        var (from, to) = (Number(range.Groups["from"].Value), Number(range.Groups[range.Groups["upper"].Success ? "to" : "from"].Value));
        return (from is null || number > from || number == from && range.Groups["open"].Value == "[")
            && (to is null || number < to || number == to && range.Groups["close"].Value == "]");

        static Version? Number(string text) =>
            Version.TryParse(string.Join('.', text.Split('-', '+')[0].Split('.').Concat(["0", "0", "0"]).Take(4)), out var parsed) ? parsed : null;
    }

    static string Project(IReadOnlyList<(string Name, string Version)> packages, IReadOnlyList<string> sources, string folder) => new XElement("Project",
        new XAttribute("Sdk", "Microsoft.NET.Sdk"),
        new XElement("PropertyGroup",
            new XElement("TargetFramework", $"net{Environment.Version.Major}.{Environment.Version.Minor}"),
            new XElement("RuntimeIdentifier", RuntimeInformation.RuntimeIdentifier),
            new XElement("SelfContained", "false"),
            new XElement("EnableDefaultItems", "false"),
            new XElement("RestoreAdditionalProjectSources", string.Join(';', sources)),
            new XElement("RestoreRootConfigDirectory", folder)),
        new XElement("ItemGroup", packages.Select(p => new XElement("PackageReference",
            new XAttribute("Include", p.Name),
            new XAttribute("Version", p.Version.Length == 0 ? "*" : p.Version))))).ToString();

    /// <returns>Why it failed; null if it did not.</returns>
    static string? Restore(string folder, CancellationToken cancellation)
    {
        // Files of the folders above would change what is restored.
        foreach (var file in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
        {
            File.WriteAllText(Path.Combine(folder, file), "<Project />");
        }

        var (code, output) = DotNet.Run(folder, cancellation, "restore", "packages.csproj", "--verbosity", "quiet", "-tl:off");
        if (code == 0)
        {
            return null;
        }

        var reasons = RestoreError().Matches(output).Select(m => m.Groups["reason"].Value.Trim()).Distinct().ToList();
        return reasons.Count > 0 ? string.Join("\n", reasons) : output.Trim();
    }

    static PackageRestore? Read(string assets)
    {
        if (!File.Exists(assets))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(assets));
            return Read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            // A damaged cache is restored anew.
            return null;
        }
    }

    static PackageRestore? Read(JsonElement root)
    {
        var folders = root.GetProperty("packageFolders").EnumerateObject().Select(f => f.Name).ToList();
        var target = root.GetProperty("targets").EnumerateObject().Single(t => t.Name.EndsWith("/" + RuntimeInformation.RuntimeIdentifier, StringComparison.Ordinal));
        var files = new Dictionary<string, List<string>> { ["compile"] = [], ["runtime"] = [], ["native"] = [] };
        var versions = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var scripts = new List<string>();
        foreach (var library in target.Value.EnumerateObject())
        {
            var name = library.Name.Split('/');
            versions[name[0]] = name[1];
            var path = root.GetProperty("libraries").GetProperty(library.Name).GetProperty("path").GetString()!;
            scripts.AddRange(folders.Select(f => Path.GetFullPath(Path.Combine(f, path, Script))).Where(File.Exists).Take(1));
            foreach (var (kind, list) in files)
            {
                if (!library.Value.TryGetProperty(kind, out var group))
                {
                    continue;
                }

                foreach (var file in group.EnumerateObject().Where(f => !f.Name.EndsWith("/_._", StringComparison.Ordinal)))
                {
                    var found = folders.Select(f => Path.GetFullPath(Path.Combine(f, path, file.Name))).FirstOrDefault(File.Exists);
                    if (found is null)
                    {
                        return null;
                    }

                    list.Add(found);
                }
            }
        }

        return new(files["compile"], files["runtime"], files["native"], scripts, versions);
    }

    [GeneratedRegex(@"^(?<open>[\[(])\s*(?<from>[^,\s]*?)\s*(?<upper>,\s*(?<to>\S*?)\s*)?(?<close>[\])])$")]
    private static partial Regex Range();

    [GeneratedRegex(@"error\s*(?<reason>(NU|MSB|NETSDK)\d+: .*?)(\[[^\]]*\])?\s*$", RegexOptions.Multiline)]
    private static partial Regex RestoreError();
}
