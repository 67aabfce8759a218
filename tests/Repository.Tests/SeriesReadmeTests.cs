using System.Globalization;
using CSharpKernel.Documents;
using Markdig.Extensions.Tables;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Repository.Tests;

/// <summary>notebooks/README.md against the notebooks.</summary>
public sealed class SeriesReadmeTests
{
    const int WordsAMinute = 200;

    static IReadOnlyList<IReadOnlyList<string>> Rows(int table) =>
        [.. new Document("notebooks/README.md").Texts.Single().Descendants<Table>().ElementAt(table).OfType<TableRow>().Where(r => !r.IsHeader)
            .Select(r => r.Select(c => string.Concat(c.Descendants<LeafInline>().OfType<LiteralInline>())).ToList())];

    static string? File(string number) => Document.Notebooks.SingleOrDefault(n => n.StartsWith($"notebooks/{number}-"));

    [Fact]
    public void The_path_has_all_notebooks_and_how_long_they_take_to_read()
    {
        var rows = Rows(0);
        Assert.Equal(Document.Notebooks.Where(n => n.Count(c => c == '/') == 1).Select(n => n["notebooks/".Length..].Split('-')[0]), rows.Select(r => r[0]));
        var wrong = new List<string>();
        foreach (var row in rows)
        {
            var words = Notebook.Load(Tree.PathOf(File(row[0])!)).Cells.Sum(c => c.Source.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length);
            if (Math.Abs((words / WordsAMinute) - int.Parse(row[2], CultureInfo.InvariantCulture)) > 3)
            {
                wrong.Add($"{row[0]}: says {row[2]} minutes, its {words} words take {words / WordsAMinute}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void A_term_of_the_glossary_stands_in_the_text_of_its_notebook()
    {
        var texts = Document.Notebooks.ToDictionary(n => n, n => string.Join('\n', Notebook.Load(Tree.PathOf(n)).Cells.Where(c => !c.IsCode).Select(c => c.Source)));
        var missing = (from row in Rows(1)
                       from term in row[0].Split(", ")
                       where File(row[2]) is not string file || !texts[file].Contains(term, StringComparison.OrdinalIgnoreCase)
                       select $"{term} in {row[2]}").ToList();
        Assert.True(missing.Count == 0, string.Join(", ", missing));
    }
}
