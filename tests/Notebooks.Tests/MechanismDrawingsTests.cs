using System.Buffers.Binary;
using System.Reflection;
using System.Xml.Linq;

namespace Notebooks.Tests;

public sealed class MechanismDrawingsTests
{
    static readonly string Folder = Path.Combine(
        typeof(MechanismDrawingsTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "RepositoryRoot").Value!, "notebooks");

    public static TheoryData<string> Drawn => [.. MechanismDrawings.All.Select(d => d.Notebook)];

    [Theory, MemberData(nameof(Drawn))]
    public void The_committed_drawing_is_the_programs_and_its_notebook_shows_it(string notebook)
    {
        var svg = MechanismDrawings.All.Single(d => d.Notebook == notebook).Draw().ToString();
        Assert.Equal(svg, File.ReadAllText(Path.Combine(Folder, "images", $"mechanism-{notebook}.svg")));
        Assert.Contains($"images/mechanism-{notebook}.png", File.ReadAllText(Assert.Single(Directory.GetFiles(Folder, $"{notebook}-*.ipynb"))));
    }

    [Theory, MemberData(nameof(Drawn))]
    public void It_is_legible_at_seven_hundred_pixels_and_tells_what_it_shows(string notebook)
    {
        var svg = XDocument.Parse(MechanismDrawings.All.Single(d => d.Notebook == notebook).Draw().ToString()).Root!;
        var (width, height) = ((int)svg.Attribute("width")!, (int)svg.Attribute("height")!);
        Assert.Equal(700, width);
        Assert.All(svg.DescendantsAndSelf().Attributes("font-size"), size => Assert.InRange((double)size, 12, 24));
        Assert.InRange(svg.Elements().Single(e => e.Name.LocalName == "desc").Value.Length, 40, 400);
        Assert.All(svg.Descendants().Where(e => e.Name.LocalName == "rect"), rect =>
        {
            Assert.InRange((double?)rect.Attribute("x") ?? 0, 0, width - (double)rect.Attribute("width")!);
            Assert.InRange((double?)rect.Attribute("y") ?? 0, 0, height - (double)rect.Attribute("height")!);
        });
    }

    [Theory, MemberData(nameof(Drawn))]
    public void Its_png_has_the_same_shape_and_is_small(string notebook)
    {
        var svg = XDocument.Load(Path.Combine(Folder, "images", $"mechanism-{notebook}.svg")).Root!;
        var png = File.ReadAllBytes(Path.Combine(Folder, "images", $"mechanism-{notebook}.png"));
        Assert.Equal(2 * (int)svg.Attribute("width")!, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)));
        Assert.Equal(2 * (int)svg.Attribute("height")!, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));
        Assert.InRange(png.Length, 1, 100_000);
    }
}
