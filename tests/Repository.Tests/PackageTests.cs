using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CSharpKernel.Documents;

namespace Repository.Tests;

/// <summary>Directory.Packages.props locks every package, those that others bring included.</summary>
public sealed partial class PackageTests
{
    static readonly Dictionary<string, string> Pinned = Pins();

    static Dictionary<string, string> Pins()
    {
        var props = XDocument.Load(Tree.PathOf("Directory.Packages.props"));
        var shared = props.Descendants("PropertyGroup").Elements().ToDictionary(p => $"$({p.Name})", p => p.Value);
        return props.Descendants("PackageVersion").Select(p => (Name: p.Attribute("Include")!.Value, Version: p.Attribute("Version")!.Value))
            .ToDictionary(p => p.Name, p => shared.GetValueOrDefault(p.Version, p.Version).Trim('[', ']'), StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public void Every_package_that_a_build_took_is_the_pinned_one()
    {
        var projects = Tree.Files.Where(f => f.EndsWith(".csproj")).ToList();
        var taken = projects.Select(p => Path.Combine(Path.GetDirectoryName(Tree.PathOf(p))!, "obj", "project.assets.json")).Where(File.Exists)
            .SelectMany(a => JsonNode.Parse(File.ReadAllText(a))!["libraries"]!.AsObject())
            .Where(l => l.Value!["type"]!.GetValue<string>() == "package").Select(l => l.Key.Split('/')).DistinctBy(l => string.Join('/', l)).ToList();
        Assert.NotEmpty(taken);
        var missing = taken.Where(t => !Pinned.TryGetValue(t[0], out var version) || version != t[1])
            .Select(t => $"""    <PackageVersion Include="{t[0]}" Version="{t[1]}" />""").Order(StringComparer.OrdinalIgnoreCase).ToList();
        Assert.True(missing.Count == 0, $"Directory.Packages.props lacks:\n{string.Join('\n', missing)}");
    }

    [Fact]
    public void A_pin_is_one_version() => Assert.All(Pinned, p => Assert.Matches(@"^\d+\.\d+\.\d+[\w.-]*$", p.Value));

    [Fact]
    public void No_project_chooses_a_version() => Assert.All(
        Tree.Files.Where(f => f.EndsWith(".csproj") || f.EndsWith(".targets") || f is "Directory.Build.props"),
        f => Assert.DoesNotContain(XDocument.Load(Tree.PathOf(f)).Descendants("PackageReference"), p => p.Attribute("Version") is not null || p.Attribute("VersionOverride") is not null));

    /// <summary>Whoever has built can then run the series without a network.</summary>
    [Fact]
    public void A_package_that_a_notebook_asks_for_is_pinned_and_comes_with_the_build()
    {
        var downloaded = XDocument.Load(Tree.PathOf("notebooks/Notebooks.csproj")).Descendants("PackageReference").Select(p => p.Attribute("Include")!.Value).ToHashSet();
        var asked = Document.Notebooks.SelectMany(n => Notebook.Load(Tree.PathOf(n)).Cells.Where(c => c.IsCode)).SelectMany(c => Asked().Matches(c.Source)).ToList();
        Assert.NotEmpty(asked);
        Assert.All(asked, a => Assert.Equal(Pinned[a.Groups["name"].Value], a.Groups["version"].Value));
        Assert.All(asked, a => Assert.Contains(a.Groups["name"].Value, downloaded));
    }

    [GeneratedRegex(@"#r ""nuget: *(?<name>[^,""]+?) *(, *(?<version>[^""]*?) *)?""")]
    private static partial Regex Asked();
}
