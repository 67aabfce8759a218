using System.Globalization;
using System.Xml.Linq;

namespace Notebooks;

/// <summary>What the drawings of the series are made of. All is told in presentation attributes, since a style sheet does not survive every place that shows an SVG.</summary>
sealed class SvgCanvas
{
    const string Ink = "#1F2933";
    const string Line = "#52606D";
    const string Monospace = "Consolas, Menlo, 'Liberation Mono', monospace";
    static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    readonly XElement root;

    /// <summary>The colours of the whole model's drawing: the same for the same things everywhere.</summary>
    public static readonly (string Fill, string Stroke)
        Plain = ("#EEF2F6", "#7B8794"), Weight = ("#DCEAF6", "#3F7CAC"), Attention = ("#DDF1E8", "#2E8B6B"),
        ClassToken = ("#FFE7A0", "#9A7400"), Position = ("#E6E0F4", "#6E5BA6"), Lit = ("#FFFFFF", "#D55E00"), Empty = ("#FFFFFF", "#CBD2D9");

    /// <summary>A white canvas, as wide as it is meant to be shown.</summary>
    /// <param name="title">Names the drawing.</param>
    /// <param name="description">Says what it shows to whoever does not see it.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="width">In pixels.</param>
    public SvgCanvas(string title, string description, int height, int width = 700)
    {
        root = new(Svg + "svg",
            new XAttribute("viewBox", $"0 0 {width} {height}"), new XAttribute("width", width), new XAttribute("height", height),
            new XAttribute("role", "img"), new XAttribute("aria-labelledby", "title desc"),
            new XAttribute("font-family", "-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"),
            new XAttribute("font-size", 14), new XAttribute("fill", Ink),
            new XElement(Svg + "title", new XAttribute("id", "title"), title),
            new XElement(Svg + "desc", new XAttribute("id", "desc"), description),
            new XElement(Svg + "defs",
                new XElement(Svg + "marker", new XAttribute("id", "arrow"), new XAttribute("viewBox", "0 0 10 10"), new XAttribute("refX", 9.5),
                    new XAttribute("refY", 5), new XAttribute("markerWidth", 9), new XAttribute("markerHeight", 9),
                    new XAttribute("markerUnits", "userSpaceOnUse"), new XAttribute("orient", "auto"),
                    new XElement(Svg + "path", new XAttribute("d", "M0.5,1 L9.5,5 L0.5,9 Z"), new XAttribute("fill", Line)))));
        Add("rect", ("width", width), ("height", height), ("fill", "#FFFFFF"));
    }

    /// <summary>A number as the notebooks print it: a true minus, a point, so many decimals.</summary>
    public static string Number(double value, int decimals) =>
        value.ToString(decimals == 0 ? "0" : "0." + new string('0', decimals), CultureInfo.InvariantCulture).Replace('-', '−');

    /// <summary>A line of text; <paramref name="y"/> is its middle.</summary>
    public void Text(double x, double y, string text, string anchor = "middle", int size = 14, bool bold = false, bool italic = false, bool code = false, string fill = Ink)
    {
        var element = Add("text", ("x", x), ("y", y + 0.35 * size), ("text-anchor", anchor), ("font-size", size), ("fill", fill));
        if (bold)
            element.SetAttributeValue("font-weight", 600);
        if (italic)
            element.SetAttributeValue("font-style", "italic");
        if (code)
            element.SetAttributeValue("font-family", Monospace);
        element.Value = text;
    }

    /// <summary>A box, with a text in its middle.</summary>
    public void Box(double x, double y, double width, double height, (string Fill, string Stroke) colour, string text = "", double corner = 4, int size = 14, bool bold = false, bool italic = false, bool code = false)
    {
        Add("rect", ("x", x), ("y", y), ("width", width), ("height", height), ("rx", corner), ("fill", colour.Fill), ("stroke", colour.Stroke), ("stroke-width", 1.4));
        if (text.Length > 0)
            Text(x + width / 2, y + height / 2, text, size: size, bold: bold, italic: italic, code: code);
    }

    /// <summary>A row of numbers, a box for each, in one colour.</summary>
    public void Row(double x, double y, IEnumerable<string> numbers, (string Fill, string Stroke) colour, double width = 40, double height = 26)
    {
        foreach (var number in numbers)
        {
            Box(x, y, width, height, colour, number, corner: 0, code: true);
            x += width;
        }
    }

    /// <summary>An arrow along points, corner by corner.</summary>
    public void Arrow(params (double X, double Y)[] points) => Path(points).SetAttributeValue("marker-end", "url(#arrow)");

    /// <summary>A line along points, for instance dotted.</summary>
    public XElement Path((double X, double Y)[] points, string colour = Line, string? dashes = null)
    {
        var path = Add("path", ("d", "M" + string.Join(" L", points.Select(p => Coordinate(p.X) + "," + Coordinate(p.Y)))), ("fill", "none"), ("stroke", colour), ("stroke-width", 1.6));
        if (dashes is not null)
            path.SetAttributeValue("stroke-dasharray", dashes);
        return path;
    }

    /// <summary>A sum.</summary>
    public void Plus(double x, double y)
    {
        Add("circle", ("cx", x), ("cy", y), ("r", 13), ("fill", "#FFFFFF"), ("stroke", Line), ("stroke-width", 1.6));
        Path([(x - 7, y), (x + 7, y)]);
        Path([(x, y - 7), (x, y + 7)]);
    }

    /// <summary>The drawing as the text of a file.</summary>
    public override string ToString() => root.ToString().ReplaceLineEndings("\n") + "\n";

    XElement Add(string name, params (string Name, object Value)[] attributes)
    {
        var element = new XElement(Svg + name, attributes.Select(a => new XAttribute(a.Name, a.Value is double number ? Coordinate(number) : a.Value)));
        root.Add(element);
        return element;
    }

    static string Coordinate(double value) => Math.Round(value, 2).ToString(CultureInfo.InvariantCulture);
}
