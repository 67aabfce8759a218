using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using CSharpKernel.Documents;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Repository.Tests;

/// <summary>
/// A notebook states no result that it does not show: each decimal number of its text stands in an output or in the
/// code of the notebook, or in a block (a paragraph, a list, a table) with a link to its source.
/// </summary>
public sealed partial class NumberTests
{
    public static TheoryData<string> Notebooks => [.. Document.Notebooks];

    [Theory, MemberData(nameof(Notebooks))]
    public void Each_decimal_number_of_the_text_is_shown_or_has_a_source(string notebook)
    {
        var code = Notebook.Load(Tree.PathOf(notebook)).Cells.Where(c => c.IsCode).ToList();
        var shown = Numbers(string.Join('\n', code.SelectMany(c => c.Outputs).Select(TextOf))).ToList();
        var constants = Numbers(string.Join('\n', code.Select(c => c.Source))).Select(n => n.Value).ToHashSet();
        var unfounded = new Document(notebook).Texts.SelectMany(t => t).Where(b => !HasSource(b))
            .SelectMany(b => Numbers(Prose(b)))
            .Where(n => !constants.Contains(n.Value) && !shown.Exists(s => Rounds(s.Value, n))).Select(n => n.Text).Distinct().ToList();
        Assert.True(unfounded.Count == 0, $"{notebook}: {string.Join(", ", unfounded)}");
    }

    public static TheoryData<string> Drawings =>
        [.. Directory.EnumerateFiles(Tree.PathOf("notebooks/images"), "mechanism-*.svg").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Drawings))]
    public void Each_number_of_a_drawing_is_shown_by_its_notebook(string drawing)
    {
        var path = Document.Notebooks.Single(n => Path.GetFileName(n).StartsWith(drawing["mechanism-".Length..].Split('.')[0] + "-", StringComparison.Ordinal) && !n.Contains("solutions"));
        var shown = Numbers(string.Join('\n', Notebook.Load(Tree.PathOf(path)).Cells.Where(c => c.IsCode).SelectMany(c => c.Outputs).Select(TextOf))).ToList();
        var texts = XDocument.Load(Tree.PathOf($"notebooks/images/{drawing}")).Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value);
        // With one decimal they are given numbers rather than results.
        var unfounded = texts.SelectMany(Numbers).Where(n => n.Step < 0.05 && !shown.Exists(s => Rounds(s.Value, n))).Select(n => n.Text).Distinct().ToList();
        Assert.True(unfounded.Count == 0, $"{drawing}: {string.Join(", ", unfounded)}");
    }

    [Theory]
    [InlineData("93.7 %", 0.93666, true)]
    [InlineData("93.7 %", 93.666, true)]
    [InlineData("93.7", 0.93666, false)]
    [InlineData("0.12", 0.125, true)]
    [InlineData("0.13", 0.125, true)]
    [InlineData("0.12", 0.1251, false)]
    [InlineData("−0.5", -0.4999, true)]
    [InlineData("2.5e-3", 0.0025, true)]
    [InlineData("2.5e-3", 0.0026, false)]
    public void A_number_may_be_rounded(string text, double shown, bool fits) => Assert.Equal(fits, Rounds(shown, Numbers(text).Single()));

    /// <param name="Text">As it stands, with its percent sign.</param>
    /// <param name="Value">What it is; a percentage is not divided.</param>
    /// <param name="Step">The value of one in its last place.</param>
    sealed record Number(string Text, double Value, double Step);

    static IEnumerable<Number> Numbers(string text) => Decimal().Matches(text).Select(m =>
    {
        var exponent = m.Groups["exponent"].Success ? int.Parse(Plain(m.Groups["exponent"].Value), CultureInfo.InvariantCulture) : 0;
        return new Number(m.Value, double.Parse(Plain(m.Groups["number"].Value), CultureInfo.InvariantCulture), Math.Pow(10, exponent - m.Groups["places"].Length));
    });

    /// <summary>Whether a number as shown may be told so, as it is or as a percentage. A half may be rounded either way.</summary>
    static bool Rounds(double shown, Number told) =>
        Math.Abs(shown - told.Value) <= 0.5000001 * told.Step
        || (told.Text.EndsWith('%') && Math.Abs((100 * shown) - told.Value) <= 0.5000001 * told.Step);

    static string Plain(string number) => number.Replace('−', '-').Replace(",", "");

    static bool HasSource(Block block) =>
        Leaves(block).Any(b => b.Inline!.Descendants<LinkInline>().Any(l => l.Url?.StartsWith("https://", StringComparison.Ordinal) == true));

    /// <summary>The text without code, formulas and addresses.</summary>
    static string Prose(Block block) => string.Join('\n', Leaves(block).Select(b => Section().Replace(string.Concat(b.Inline!.Descendants<LiteralInline>().Select(l => l.Content.ToString())), "")));

    static IEnumerable<LeafBlock> Leaves(Block block) => block.Descendants<LeafBlock>().Prepend(block).OfType<LeafBlock>().Where(b => b.Inline is not null);

    /// <summary>What an output shows as text; the numbers within a chart cannot be read off it.</summary>
    static string TextOf(JsonNode? output) => Markup().Replace(string.Join('\n', new[] { output!["text"], output["data"]?["text/plain"], output["data"]?["text/html"] }.Select(NotebookCell.Text)), " ");

    [GeneratedRegex(@"(?<![\w.:])(?<number>[-−]?\d[\d,]*\.(?<places>\d+)(?:[eE](?<exponent>[-+−]?\d+))?)(?![\w.]*\d)(?:\s*%)?")]
    private static partial Regex Decimal();

    /// <summary>A place in a paper.</summary>
    [GeneratedRegex(@"\b(section|appendix|table|figure|Fig\.|chapter)\s+\w+\.\d+", RegexOptions.IgnoreCase)]
    private static partial Regex Section();

    [GeneratedRegex("<[^>]+>")]
    private static partial Regex Markup();
}
