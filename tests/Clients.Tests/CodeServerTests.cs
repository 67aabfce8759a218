using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Clients.Tests;

/// <summary>
/// VS Code's workbench in a browser, as code-server serves it, with the Jupyter extension and the installed kernel. Both come
/// from places that not every machine reaches: CODE_SERVER_URL says where one stands that sees this folder.
/// </summary>
public sealed partial class CodeServerTests
{
    const string Variable = "CODE_SERVER_URL";

    static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_notebook_runs_once_its_kernel_is_chosen_and_shows_picture_and_chart()
    {
        var address = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(address), $"Needs {Variable}, the address of a code-server with the extension ms-toolsai.jupyter and the kernel of this repository.");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(NotebookServer.Browser());
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1400, Height = 1000 } });
        page.SetDefaultTimeout((float)Limit.TotalMilliseconds);

        // The folder is new to the workbench, which asks whether to trust it when it likes.
        var trust = page.GetByText(Trust());
        await page.AddLocatorHandlerAsync(trust, () => trust.ClickAsync());
        await page.GotoAsync($"{address!.TrimEnd('/')}/?folder={Uri.EscapeDataString(TheSeries.Root)}");
        await page.Locator(".monaco-workbench").WaitForAsync();

        var name = $"{NotebookServer.Shown}.ipynb";
        await page.Keyboard.PressAsync("Control+P");
        await page.Locator(".quick-input-widget input[type=text]").FillAsync(name);
        await Row(page, new Regex(Regex.Escape(name))).ClickAsync();
        await page.Locator(".notebook-editor .cell.code").First.WaitForAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Run All" }).First.ClickAsync();
        var choice = Row(page, Choice());
        var chosen = await choice.InnerTextAsync();
        await choice.ClickAsync();
        if (!chosen.Contains(".NET (C#)", StringComparison.Ordinal))
        {
            await Row(page, Kernel()).ClickAsync();
        }

        // Outputs are drawn where they are in view, and so the whole notebook is walked through.
        var outputs = page.FrameLocator("iframe.webview").FrameLocator("iframe#active-frame");
        var picture = outputs.Locator(".output_container img");
        var chart = outputs.Locator(".js-plotly-plot .trace path");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        await page.Keyboard.PressAsync("Control+Home");
        while (await picture.CountAsync() == 0 || await chart.CountAsync() == 0)
        {
            limit.Token.ThrowIfCancellationRequested();
            await page.Keyboard.PressAsync("ArrowDown");
        }

        await page.ScreenshotAsync(new() { Path = Path.Combine(NotebookServer.Screenshots, "vscode.png") });
        Assert.InRange(await picture.First.EvaluateAsync<int>("image => image.naturalWidth"), 100, 10_000);
    }

    static ILocator Row(IPage page, Regex text) => page.Locator(".quick-input-list .monaco-list-row").Filter(new() { HasTextRegex = text }).First;

    /// <summary>The kernel itself, where the list has it already, or the way to it.</summary>
    [GeneratedRegex(@"\.NET \(C#\)|Jupyter Kernel")]
    private static partial Regex Choice();

    [GeneratedRegex(@"\.NET \(C#\)")]
    private static partial Regex Kernel();

    [GeneratedRegex("^Yes, I trust the authors")]
    private static partial Regex Trust();
}
