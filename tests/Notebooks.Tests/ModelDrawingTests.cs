using System.Buffers.Binary;
using System.Reflection;
using System.Xml.Linq;

namespace Notebooks.Tests;

public sealed class ModelDrawingTests : IDisposable
{
    static readonly string Images = Path.Combine(
        typeof(ModelDrawingTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "RepositoryRoot").Value!,
        "notebooks", "images");

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string, string[]> LitNotebooks =>
        [.. ModelDrawing.LitParts.Where(n => n.Parts.Length > 0).Select(n => (n.Notebook, n.Parts))];

    public static TheoryData<string> Drawings =>
        ["model", .. ModelDrawing.LitParts.Where(n => n.Parts.Length > 0).Select(n => $"model-{n.Notebook}")];

    [Theory, MemberData(nameof(LitNotebooks))]
    public void The_committed_variant_is_the_drawing_with_that_notebooks_parts_lit(string notebook, string[] parts) =>
        Assert.Equal(ModelDrawing.Light(Read("model.svg"), parts), Read($"model-{notebook}.svg"));

    [Fact]
    public void Each_notebook_has_an_entry_and_no_variant_is_left_over()
    {
        var notebooks = Directory.EnumerateFiles(Path.GetDirectoryName(Images)!, "*.ipynb").Select(f => Path.GetFileName(f)[..2]);
        Assert.Equal(notebooks.Order(StringComparer.Ordinal), ModelDrawing.LitParts.Select(n => n.Notebook));
        Assert.Equal(
            Drawings.SelectMany(d => new[] { $"{d.Data}.png", $"{d.Data}.svg" }).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Images, "model*").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_drawing_has_a_part_for_every_piece_of_the_model()
    {
        var ids = Parts(XDocument.Parse(Read("model.svg"))).Select(p => p.Id);
        Assert.Superset(
            new HashSet<string>
            {
                "image", "patches", "projection", "class-token", "positions", "block", "norm", "attention", "heads",
                "residual", "feed-forward", "head", "softmax",
            },
            ids.ToHashSet());
    }

    [Fact]
    public void Arrows_name_parts_that_exist()
    {
        var drawing = XDocument.Parse(Read("model.svg"));
        var joined = drawing.Descendants().Attributes("data-parts").SelectMany(a => a.Value.Split(' '));
        Assert.Subset(Parts(drawing).Select(p => p.Id).ToHashSet(), joined.ToHashSet());
    }

    [Fact]
    public void Each_part_by_itself_is_outlined_and_unfaded_while_every_part_outside_it_is_faded()
    {
        var svg = Read("model.svg");
        foreach (var (id, _) in Parts(XDocument.Parse(svg)))
        {
            var lit = XDocument.Parse(ModelDrawing.Light(svg, id));
            var part = Parts(lit).Single(p => p.Id == id).Element;
            Assert.DoesNotContain(part.DescendantsAndSelf().Concat(part.Ancestors()), e => e.Attribute("opacity") is not null);
            Assert.Contains(part.Descendants(), e => (string?)e.Attribute("stroke") == "#D55E00");
            foreach (var (_, other) in Parts(lit).Where(p => !p.Element.DescendantsAndSelf().Contains(part) && !p.Element.Ancestors().Contains(part)))
                Assert.Single(other.AncestorsAndSelf(), e => e.Attribute("opacity") is not null);
            Assert.DoesNotContain(lit.Descendants(), e => (string?)e.Attribute("class") == "frame" && e.Attribute("opacity") is not null);
        }
    }

    [Fact]
    public void Without_parts_the_drawing_stays_as_it_is() => Assert.Equal(Read("model.svg"), ModelDrawing.Light(Read("model.svg")));

    [Fact]
    public void An_unknown_part_is_named_with_those_there_are()
    {
        var error = Assert.Throws<ArgumentException>(() => ModelDrawing.Light(Read("model.svg"), "image", "decoder"));
        Assert.Contains("'decoder'", error.Message);
        Assert.Contains("feed-forward", error.Message);
    }

    [Theory, MemberData(nameof(Drawings))]
    public void Its_png_has_the_same_shape_and_is_small(string drawing)
    {
        var svg = XDocument.Parse(Read($"{drawing}.svg")).Root!;
        var png = File.ReadAllBytes(Path.Combine(Images, $"{drawing}.png"));
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], png[..8]);
        var width = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16));
        var height = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20));
        Assert.Equal((int)svg.Attribute("width")! * height, (int)svg.Attribute("height")! * width);
        Assert.InRange(png.Length, 1, 150_000);
    }

    [Fact]
    public void Text_is_legible_when_the_drawing_is_a_thousand_pixels_wide()
    {
        var svg = XDocument.Parse(Read("model.svg")).Root!;
        var scale = 1000 / (double)svg.Attribute("width")!;
        Assert.All(svg.DescendantsAndSelf().Attributes("font-size"), size => Assert.InRange((double)size * scale, 13, 24));
    }

    [Fact]
    public void Nothing_in_it_needs_a_style_sheet_a_script_or_another_file()
    {
        var svg = XDocument.Parse(Read("model.svg"));
        Assert.DoesNotContain(svg.Descendants(), e => e.Name.LocalName is "style" or "script" or "image" or "foreignObject");
        Assert.DoesNotContain(svg.Descendants().Attributes(), a => a.Name == "style");
        Assert.All(svg.Descendants().Attributes("href"), a => Assert.StartsWith("#", a.Value));
    }

    [Fact]
    public void WriteAll_writes_the_committed_variants_and_nothing_else()
    {
        File.Copy(Path.Combine(Images, "model.svg"), Path.Combine(_folder.FullName, "model.svg"));
        ModelDrawing.WriteAll(_folder.FullName);
        Assert.Equal(Drawings.Select(d => $"{d.Data}.svg").Order(StringComparer.Ordinal), _folder.EnumerateFiles().Select(f => f.Name).Order(StringComparer.Ordinal));
        Assert.All(_folder.EnumerateFiles(), f => Assert.Equal(Read(f.Name), File.ReadAllText(f.FullName)));
    }

    [Fact]
    public void WriteAll_names_the_drawing_that_is_missing()
    {
        var error = Assert.Throws<FileNotFoundException>(() => ModelDrawing.WriteAll(_folder.FullName));
        Assert.Contains("model.svg", error.Message);
    }

    static string Read(string name) => File.ReadAllText(Path.Combine(Images, name));

    static IEnumerable<(string Id, XElement Element)> Parts(XDocument svg) =>
        svg.Descendants().Where(e => (string?)e.Attribute("class") == "part").Select(e => ((string)e.Attribute("id")!, e));
}
