using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Documents;
using CSharpKernel.Headless;
using Vit.Data;

namespace Notebooks.Tests;

/// <summary>What holds for every committed notebook, so that it opens in either kernel and reads on GitHub without running.</summary>
public sealed partial class ContractTests
{
    internal const string Metadata = """
        {
          "kernelspec": {"display_name": ".NET (C#)", "language": "C#", "name": ".net-csharp"},
          "language_info": {"file_extension": ".cs", "mimetype": "text/x-csharp", "name": "csharp", "pygments_lexer": "csharp"},
          "polyglot_notebook": {"kernelInfo": {"defaultKernelName": "csharp", "items": [{"aliases": [], "name": "csharp"}]}}
        }
        """;

    const int LongestLine = 114;

    [Fact]
    public void There_are_notebooks() => Assert.NotEmpty(TheSeries.Series.Names);

    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public void A_notebook_is_written_as_this_repository_writes_it(string name) =>
        Assert.Equal(Notebook.Load(TheSeries.PathOf(name)).ToString(), File.ReadAllText(TheSeries.PathOf(name)));

    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public void Its_metadata_lets_both_kernels_find_it(string name)
    {
        var notebook = Notebook.Load(TheSeries.PathOf(name));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Metadata), notebook.Json["metadata"]), notebook.Json["metadata"]!.ToJsonString());
        foreach (var cell in notebook.Cells.Where(c => c.IsCode))
        {
            Assert.Equal("csharp", cell.Json["metadata"]!["dotnet_interactive"]?["language"]?.GetValue<string>());
            Assert.Equal("csharp", cell.Json["metadata"]!["polyglot_notebook"]?["kernelName"]?.GetValue<string>());
            // In the order in which front ends write them, so that saving moves nothing.
            var names = cell.Json["metadata"]!.AsObject().Select(m => m.Key).ToList();
            Assert.Equal(names.Order(StringComparer.Ordinal), names);
        }
    }

    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public void Its_code_reads_on_GitHub_without_scrolling(string name)
    {
        var lines = Notebook.Load(TheSeries.PathOf(name)).Cells.Where(c => c.IsCode).SelectMany(c => c.Source.Split('\n'));
        Assert.DoesNotContain(lines, line => line.Length > LongestLine);
    }

    [Fact]
    public void All_begin_with_the_same_cell()
    {
        var first = TheSeries.Series.Names.ToDictionary(n => n, n => Notebook.Load(TheSeries.PathOf(n)).Cells.First(c => c.IsCode).Source.Replace("\"../../lib/", "\"../lib/"));
        var expected = first.Values.First();
        Assert.All(first, f => Assert.Equal(expected, f.Value));
        Assert.Contains("#r \"../lib/bin/Vit.dll\"", expected);
    }

    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public void It_has_run_from_top_to_bottom(string name)
    {
        var counts = Notebook.Load(TheSeries.PathOf(name)).Cells.Where(c => c.IsCode).Select(c => c.Json["execution_count"]?.GetValue<int>()).ToList();
        Assert.Equal(Enumerable.Range(1, counts.Count).Select(i => (int?)i), counts);
    }

    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public void Its_outputs_read_on_GitHub_and_are_the_same_wherever_it_ran(string name)
    {
        foreach (var (cell, i) in Notebook.Load(TheSeries.PathOf(name)).Cells.Where(c => c.IsCode).Select((c, i) => (c, i)))
        {
            Assert.True(cell.Tags.Contains(NotebookRunner.RaisesException) || cell.Outputs.All(o => o!["output_type"]!.GetValue<string>() != "error"), $"cell {i + 1} failed");
            foreach (var data in cell.Outputs.Select(o => o!["data"]).OfType<JsonObject>())
            {
                if (data[ChartPictures.ChartType] is { } chart)
                {
                    Assert.Equal([ChartPictures.ChartType, "image/png", "text/plain"], data.Select(d => d.Key));
                    Assert.True(chart["layout"]?["template"] is null or JsonObject { Count: 0 }, $"cell {i + 1}: the chart holds plotly's default template");
                }

                if (data["image/png"] is { } png)
                {
                    using var picture = Picture.Decode(Convert.FromBase64String(NotebookCell.Text(png)));
                    Assert.False(OutputComparer.IsBlank(picture), $"cell {i + 1}: a blank picture");
                }

                Assert.DoesNotMatch(Styles(), NotebookCell.Text(data["text/html"]));
            }

            var texts = cell.Outputs.Select(o => o!.DeepClone().AsObject()).ToList();
            texts.ForEach(o => (o["data"] as JsonObject)?.Remove("image/png"));
            var text = string.Concat(texts.Select(o => o.ToJsonString()));
            Assert.DoesNotMatch(MachineSpecific(), text);
            Assert.DoesNotContain(TheSeries.Root.TrimEnd('/', '\\'), text);
        }
    }

    [GeneratedRegex("<style|<script", RegexOptions.IgnoreCase)]
    private static partial Regex Styles();

    /// <summary>Folders of a user or a system, and GUIDs.</summary>
    [GeneratedRegex(@"(?<![\w.])/(home|root|tmp|usr|Users|private|var)/|\b[A-Za-z]:\\\\\w|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")]
    private static partial Regex MachineSpecific();
}
