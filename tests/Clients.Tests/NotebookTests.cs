using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Documents;

namespace Clients.Tests;

/// <summary>Jupyter Notebook in a browser.</summary>
public sealed class NotebookTests(NotebookServer server) : IClassFixture<NotebookServer>
{
    [Fact]
    public async Task A_notebook_of_the_series_runs_draws_its_pictures_and_charts_and_runs_again_after_a_restart()
    {
        var notebook = Notebook.Load(TheSeries.PathOf(NotebookServer.Shown));
        var cells = notebook.Cells.Where(c => c.IsCode).ToList();
        int[] With(string type) => [.. cells.Index().Where(c => c.Item.Outputs.Any(o => o!["data"]?[type] is not null)).Select(c => c.Index)];
        var charts = With(ChartPictures.ChartType);
        var pictures = With("image/png").Except(charts).ToArray();
        Assert.NotEmpty(charts);
        Assert.NotEmpty(pictures);

        await using var page = await server.Open(notebook);
        for (var run = 1; run <= 2; run++)
        {
            await page.RunAll();
            for (var cell = 0; cell < cells.Count; cell++)
            {
                Assert.Equal($"{cell + 1}", await page.Prompt(cell));
            }

            Assert.Equal(0, await page.Page.Locator(".output_error").CountAsync());
            foreach (var cell in pictures)
            {
                Assert.InRange(await page.Cell(cell).Locator("img").EvaluateAsync<int>("image => image.naturalWidth"), 100, 10_000);
            }

            foreach (var cell in charts)
            {
                await page.Cell(cell).Locator(".js-plotly-plot .trace path").First.WaitForAsync();
            }

            await page.Cell(0).Locator(".cm-keyword").First.WaitForAsync();
            await page.Screenshot($"notebook-run-{run}");
            await page.Restart();
        }

        // Saved, the charts add little, and another page draws them as they are in the file.
        var file = await page.Save();
        Assert.InRange(file.Length, 1, 1.5 * new FileInfo(TheSeries.PathOf(NotebookServer.Shown)).Length);
        var asked = new List<string>();
        page.Page.Request += (_, request) => asked.Add(request.Url);
        await page.Page.ReloadAsync();
        foreach (var cell in charts)
        {
            await page.Cell(cell).Locator(".js-plotly-plot .trace path").First.WaitForAsync();
        }

        var origin = new Uri(page.Page.Url).GetLeftPart(UriPartial.Authority);
        Assert.Single(asked, url => url.EndsWith("/plotly.min.js", StringComparison.Ordinal));
        Assert.All(asked, url => Assert.True(url.StartsWith(origin, StringComparison.Ordinal) || url.StartsWith("data:", StringComparison.Ordinal) || url.StartsWith("blob:", StringComparison.Ordinal), url));
    }

    [Theory]
    [InlineData("06")]
    [InlineData("08")]
    public async Task Other_notebooks_of_the_series_run_too(string number)
    {
        var notebook = Notebook.Load(TheSeries.PathOf(Assert.Single(TheSeries.Series.Select([number]))));
        await using var page = await server.Open(notebook);
        await page.RunAll();
        for (var cell = 0; cell < notebook.Cells.Count(c => c.IsCode); cell++)
        {
            Assert.Equal($"{cell + 1}", await page.Prompt(cell));
        }

        Assert.Equal(0, await page.Page.Locator(".output_error").CountAsync());
    }

    [Fact]
    public async Task An_endless_cell_is_interrupted_keeps_the_state_and_a_restart_drops_it()
    {
        await using var page = await server.Open(Cells("var kept = 1;\nConsole.WriteLine(\"begun\");\nwhile (true) { }", "kept + 1"));
        await page.Run(0);
        await page.Cell(0).GetByText("begun", new() { Exact = true }).WaitForAsync();
        Assert.Equal("*", await page.Prompt(0));
        await page.Interrupt();
        await page.Ended();
        Assert.Contains("interrupted", await page.Output(0));
        await page.Run(1);
        await page.Ended();
        Assert.EndsWith("2", (await page.Output(1)).Trim());
        await page.Screenshot("interrupted");

        await page.Restart();
        await page.Run(1);
        await page.Ended();
        Assert.Contains("CS0103", await page.Output(1));
    }

    [Fact]
    public async Task Tab_lists_what_fits_and_Shift_Tab_explains_it()
    {
        await using var page = await server.Open(Cells("var someText = \"abc\";", "someText.IndexO", "Console.WriteLine"));
        await page.Run(0);
        await page.Ended();
        await page.Editor(1).ClickAsync();
        await page.Page.Keyboard.PressAsync("Control+End");
        await page.Page.Keyboard.PressAsync("Tab");
        await page.Page.WaitForFunctionAsync("() => document.querySelectorAll('#complete option').length > 1");
        await page.Screenshot("completion");
        await page.Page.Keyboard.PressAsync("Enter");
        await page.Page.WaitForFunctionAsync("() => Jupyter.notebook.get_cell(1).get_text().endsWith('.IndexOf')");

        await page.Editor(2).ClickAsync();
        await page.Page.Keyboard.PressAsync("Control+End");
        await page.Page.Keyboard.PressAsync("Shift+Tab");
        await page.Page.WaitForFunctionAsync("""
            () => document.querySelector('#tooltip .tooltiptext')?.innerText.includes('WriteLine') && getComputedStyle(document.querySelector('#tooltip')).opacity === '1'
            """);
        await page.Screenshot("tooltip");
    }

    [Fact]
    public async Task Input_is_asked_for_below_the_cell()
    {
        await using var page = await server.Open(Cells("var name = input(\"Your name: \");\nname.Length"));
        await page.Run(0);
        var field = page.Page.Locator("input.raw_input");
        await field.WaitForAsync();
        await page.Screenshot("input");
        await field.FillAsync("Ada");
        await field.PressAsync("Enter");
        await page.Ended();
        Assert.EndsWith("3", (await page.Output(0)).Trim());
    }

    [Fact]
    public async Task Errors_objects_tables_and_updates_are_shown()
    {
        const string Setup = """
            #r "../lib/bin/Vit.Interactive.dll"
            #r "../lib/bin/TorchSharp.dll"
            #r "../lib/bin/Microsoft.DotNet.Interactive.Formatting.dll"
            using static TorchSharp.torch;
            Vit.Interactive.Formatters.Register();
            record Planet(string Name, int Moons);
            """;
        string[] cells =
        [
            Setup,
            "void Inner(int n)\n{\n    throw new InvalidOperationException($\"no {n}\");\n}\nInner(3);",
            "int x = \"one\";\nundefined();",
            "new Planet(\"Mars\", 2)",
            "new[] { new Planet(\"Mars\", 2), new Planet(\"Jupiter\", 95) }",
            "new Dictionary<string, int> { [\"Mars\"] = 2, [\"Jupiter\"] = 95 }",
            "new List<int> { 1, 2, 3 }",
            "arange(12).reshape(3, 4)",
            "var shown = display(\"before\"); shown.Update(\"after\");",
            "Console.WriteLine(\"out\"); Console.Error.WriteLine(\"err\"); display(HTML(\"<b>bold</b>\")); \"**strong**\".DisplayAs(\"text/markdown\");",
        ];
        await using var page = await server.Open(Cells(cells));
        for (var cell = 0; cell < cells.Length; cell++)
        {
            await page.Run(cell);
            await page.Ended();
        }

        await page.Screenshot("outputs");
        Assert.Contains("no 3", await page.Output(1));
        Assert.Contains("line 3", await page.Output(1));
        Assert.Contains("CS0029", await page.Output(2));
        Assert.Contains("Jupiter", await page.Output(4));
        Assert.NotEqual(0, await page.Cell(4).Locator("table").CountAsync());
        Assert.Contains("after", await page.Output(8));
        Assert.DoesNotContain("before", await page.Output(8));
        Assert.Equal(1, await page.Cell(9).Locator("b").CountAsync());
        Assert.Equal(1, await page.Cell(9).Locator("strong").CountAsync());
    }

    /// <summary>A notebook of code cells.</summary>
    static Notebook Cells(params string[] code)
    {
        var json = new JsonObject
        {
            ["cells"] = new JsonArray([.. code.Select((c, i) => (JsonNode)new JsonObject
            {
                ["cell_type"] = "code",
                ["execution_count"] = null,
                ["id"] = $"c{i}",
                ["metadata"] = new JsonObject(),
                ["outputs"] = new JsonArray(),
                ["source"] = c,
            })]),
            ["metadata"] = new JsonObject { ["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = "" } },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        return Notebook.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()), "cells");
    }
}
