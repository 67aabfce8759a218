using CSharpKernel.Documents;
using Microsoft.Playwright;

namespace Clients.Tests;

/// <summary>JupyterLab in a browser.</summary>
public sealed class LabTests(LabServer server) : IClassFixture<LabServer>
{
    [Fact]
    public async Task A_notebook_of_the_series_runs_draws_its_pictures_and_charts_and_is_saved_small()
    {
        var committed = TheSeries.PathOf(NotebookServer.Shown);
        var (page, file) = await server.OpenPage(Notebook.Load(committed));
        await Shown(page);
        await page.WaitForFunctionAsync("() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'");
        await page.EvaluateAsync("() => window.jupyterapp.commands.execute('notebook:run-all-cells')");
        await page.Locator(".jp-OutputArea-output .js-plotly-plot .trace path").First.WaitForAsync();
        Assert.InRange(await page.Locator(".jp-OutputArea-output img").First.EvaluateAsync<int>("image => image.naturalWidth"), 100, 10_000);
        Assert.Equal(0, await page.Locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr'], .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").CountAsync());

        await page.EvaluateAsync("() => window.jupyterapp.commands.execute('docmanager:save')");
        Assert.InRange(new FileInfo(file).Length, 1, 1.5 * new FileInfo(committed).Length);
        await page.ReloadAsync();
        await Shown(page);
        await page.Locator(".jp-OutputArea-output .js-plotly-plot .trace path").First.WaitForAsync();
        await page.ScreenshotAsync(new() { Path = Path.Combine(NotebookServer.Screenshots, "lab.png") });
        await page.CloseAsync();
    }

    /// <summary>Waits for the notebook, and has all of its cells drawn, rather than those in the window.</summary>
    static async Task Shown(IPage page)
    {
        await page.WaitForFunctionAsync("() => window.jupyterapp?.shell.currentWidget?.context?.isReady");
        await page.EvaluateAsync("""
            () => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                notebook.notebookConfig = { ...notebook.notebookConfig, windowingMode: 'none' };
            }
            """);
    }
}
