using System.Reflection;

namespace Notebooks.Tests;

/// <summary>The notebooks of the repository, as cases of theories.</summary>
static class TheSeries
{
    public static string Root { get; } = typeof(TheSeries).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static Series Series { get; } = new(Path.Combine(Root, "notebooks"));

    /// <summary>All, or those that the variable NOTEBOOKS names as the runner's arguments do: <c>04 solutions/04</c>.</summary>
    public static TheoryData<string> Names =>
        [.. Series.Select((Environment.GetEnvironmentVariable("NOTEBOOKS") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    public static string PathOf(string name) => Series.PathOf(Series.Folder, name);
}
