using System.Reflection;

namespace Notebooks.Tests;

/// <summary>The notebooks of the repository, as cases of theories.</summary>
static class TheSeries
{
    public static string Root { get; } = typeof(TheSeries).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static Series Series { get; } = new(Path.Combine(Root, "notebooks"));

    public static TheoryData<string> Names => [.. Series.Names];

    public static string PathOf(string name) => Series.PathOf(Series.Folder, name);
}
