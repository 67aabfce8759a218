using CSharpKernel;

namespace Clients.Tests;

/// <summary>Jupyter Notebook in a browser.</summary>
public sealed class NotebookTests(NotebookServer server) : IClassFixture<NotebookServer>
{
    [Fact]
    public async Task A_notebook_of_the_series_runs_draws_its_pictures_and_charts_and_runs_again_after_a_restart()
    {
        var notebook = Notebook.Load(TheSeries.PathOf(TheSeries.Series.Names[0]));
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

            await page.Screenshot($"notebook-01-run-{run}");
            await page.Restart();
        }
    }
}
