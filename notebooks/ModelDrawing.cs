using System.Xml.Linq;
using CSharpKernel.Documents;

namespace Notebooks;

/// <summary>The drawing of the whole model, and its variants in which the parts that one notebook builds are lit.</summary>
static class ModelDrawing
{
    const string Accent = "#D55E00";
    const string AccentWidth = "3.5";
    const string Faded = "0.4";

    /// <summary>The parts that each notebook lights. A notebook without parts shows the whole drawing, <c>model.svg</c>.</summary>
    public static IReadOnlyList<(string Notebook, string[] Parts)> LitParts { get; } =
    [
        ("01", ["image", "patches"]),
        ("02", ["projection"]),
        ("03", ["class-token"]),
        ("04", ["positions"]),
        ("05", ["attention"]),
        ("06", ["attention", "heads"]),
        ("07", ["block"]),
        ("08", []),
        ("09", ["head", "softmax"]),
        ("10", ["class-token", "positions", "attention"]),
        ("11", ["attention"]),
        ("12", ["head"]),
        ("13", ["attention"]),
        ("14", []),
        ("15", ["class-token", "head"]),
        ("16", ["patches", "attention"]),
        ("17", []),
        ("18", []),
        ("19", []),
        ("20", ["patches", "positions", "attention"]),
        ("21", []),
    ];

    /// <summary>
    /// Outlines the named parts and fades all else, save what joins a lit part to its neighbours: the arrows there and
    /// the shapes at them. Everything is told in presentation attributes, since a style sheet does not survive every
    /// place that shows an SVG.
    /// </summary>
    /// <param name="svg">The drawing. A part is a <c>g</c> of class <c>part</c> with an id, and may stand within
    /// another; what bears the class <c>outline</c> in it gets the accent. A <c>g</c> of class <c>flow</c> names the
    /// parts that it joins in <c>data-parts</c>. What bears the class <c>frame</c> never fades.</param>
    /// <param name="parts">The ids of the parts to light; none leaves the drawing as it is.</param>
    /// <exception cref="ArgumentException">The drawing has no part of that id.</exception>
    public static string Light(string svg, params string[] parts)
    {
        var document = XDocument.Parse(svg, LoadOptions.PreserveWhitespace);
        var drawn = document.Descendants().Where(e => HasClass(e, "part")).ToDictionary(e => (string)e.Attribute("id")!);
        var lit = new HashSet<XElement>();
        foreach (var part in parts)
            lit.Add(drawn.TryGetValue(part, out var element)
                ? element
                : throw new ArgumentException($"The drawing has no part '{part}', only {string.Join(", ", drawn.Keys)}.", nameof(parts)));

        foreach (var part in lit)
            foreach (var outline in part.Descendants().Where(e => HasClass(e, "outline") && e.Ancestors().First(a => HasClass(a, "part")) == part))
            {
                outline.SetAttributeValue("stroke", Accent);
                outline.SetAttributeValue("stroke-width", AccentWidth);
            }

        var joining = document.Descendants().Where(e => ((string?)e.Attribute("data-parts"))?.Split(' ').Intersect(parts).Any() ?? false);
        HashSet<XElement> kept = [.. lit, .. joining, .. document.Descendants().Where(e => HasClass(e, "frame"))];
        if (parts.Length > 0)
            Fade(document.Root!, kept);
        return document.ToString(SaveOptions.DisableFormatting).ReplaceLineEndings("\n");
    }

    /// <summary>Draws each notebook's variant from <c>model.svg</c> into the same folder.</summary>
    /// <param name="imagesFolder">The folder that holds <c>model.svg</c>.</param>
    /// <exception cref="FileNotFoundException">It holds none.</exception>
    public static void WriteAll(string imagesFolder)
    {
        var svg = File.ReadAllText(Path.Combine(imagesFolder, "model.svg"));
        foreach (var (notebook, parts) in LitParts.Where(n => n.Parts.Length > 0))
            WholeFile.Write(Path.Combine(imagesFolder, $"model-{notebook}.svg"), Light(svg, parts));
    }

    // Opacity multiplies down the tree, so it is set as high as no kept element is inside, and no higher.
    static void Fade(XElement parent, HashSet<XElement> kept)
    {
        foreach (var element in parent.Elements().Where(e => e.Name.LocalName is not ("title" or "desc" or "defs") && !kept.Contains(e)))
            if (element.Descendants().Any(kept.Contains))
                Fade(element, kept);
            else
                element.SetAttributeValue("opacity", Faded);
    }

    static bool HasClass(XElement element, string name) => (string?)element.Attribute("class") == name;
}
