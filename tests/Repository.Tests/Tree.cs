using System.Reflection;

namespace Repository.Tests;

/// <summary>The files of the repository, without what a build or a run leaves behind.</summary>
static class Tree
{
    static readonly string[] Left = [".git", ".vs", ".vscode", ".ipynb_checkpoints", "bin", "obj", "artifacts", "TestResults", "weights"];

    public static string Root { get; } = typeof(Tree).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>Paths below the root with '/' on every platform, in order.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. In("").Order(StringComparer.Ordinal)];

    public static string PathOf(string file) => Path.Combine([Root, .. file.Split('/')]);

    static IEnumerable<string> In(string folder)
    {
        var here = folder.Length == 0 ? new DirectoryInfo(Root) : new DirectoryInfo(PathOf(folder));
        var prefix = folder.Length == 0 ? "" : folder + "/";
        return here.EnumerateFiles().Select(f => prefix + f.Name)
            .Concat(here.EnumerateDirectories().Where(d => !Left.Contains(d.Name)).SelectMany(d => In(prefix + d.Name)));
    }
}
