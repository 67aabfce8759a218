using Microsoft.Playwright;

namespace Clients.Tests;

/// <summary>A notebook in Jupyter Notebook, used as a reader uses it: with mouse and keyboard.</summary>
/// <param name="page">The page.</param>
/// <param name="file">The notebook's file.</param>
public sealed class NotebookPage(IPage page, string file) : IAsyncDisposable
{
    /// <summary>The page itself, for what is asked only once.</summary>
    public IPage Page => page;

    /// <summary>Runs all cells from the menu and waits for the last one.</summary>
    public async Task RunAll()
    {
        await page.ClickAsync("#celllink");
        await page.ClickAsync("#run_all_cells a");
        await Ended();
    }

    /// <summary>Runs one cell, which may go on.</summary>
    /// <param name="cell">Its number among the code cells, from 0.</param>
    public async Task Run(int cell)
    {
        await Editor(cell).ClickAsync();
        await page.Keyboard.PressAsync("Control+Enter");
    }

    /// <summary>Waits until no cell runs or waits to run.</summary>
    public Task Ended() => page.WaitForFunctionAsync("""
        () => !Jupyter.notebook.kernel_busy && Jupyter.notebook.get_cells().every(c => c.input_prompt_number !== '*')
        """);

    /// <summary>Waits until a cell has begun.</summary>
    public Task Running() => page.WaitForFunctionAsync("() => Jupyter.notebook.kernel_busy");

    /// <summary>Interrupts with the button of the tool bar.</summary>
    public Task Interrupt() => page.ClickAsync("button[data-jupyter-action='jupyter-notebook:interrupt-kernel']");

    /// <summary>Restarts with the button of the tool bar, and waits for the new kernel.</summary>
    public async Task Restart()
    {
        await page.EvaluateAsync("() => { window.restarted = false; Jupyter.notebook.events.one('kernel_ready.Kernel', () => window.restarted = true); }");
        await page.ClickAsync("button[data-jupyter-action='jupyter-notebook:confirm-restart-kernel']");
        await page.ClickAsync(".modal-footer .btn-danger");
        await page.WaitForFunctionAsync("() => window.restarted");
    }

    /// <summary>A code cell, by its number among them, from 0.</summary>
    public ILocator Cell(int cell) => page.Locator(".code_cell").Nth(cell);

    /// <summary>What stands in a code cell's prompt: a number, '*' while it runs or waits, nothing before.</summary>
    public async Task<string> Prompt(int cell) => (await Cell(cell).Locator(".input_prompt").InnerTextAsync()).Replace("In", "").Trim(' ', '[', ']', ':', '\u00a0');

    /// <summary>What a code cell shows, as text.</summary>
    public Task<string> Output(int cell) => Cell(cell).Locator(".output").InnerTextAsync();

    /// <summary>Where a code cell is typed.</summary>
    public ILocator Editor(int cell) => Cell(cell).Locator(".CodeMirror");

    /// <summary>Saves with the button of the tool bar.</summary>
    /// <returns>The file.</returns>
    public async Task<FileInfo> Save()
    {
        await page.EvaluateAsync("() => { window.saved = false; Jupyter.notebook.events.one('notebook_saved.Notebook', () => window.saved = true); }");
        await page.ClickAsync("button[data-jupyter-action='jupyter-notebook:save-notebook']");
        await page.WaitForFunctionAsync("() => window.saved");
        return new(file);
    }

    /// <summary>Keeps a picture of the whole notebook.</summary>
    /// <param name="name">The file's name without extension.</param>
    public async Task Screenshot(string name)
    {
        // The notebook scrolls inside the page: only what the window holds would be in the picture.
        var height = await page.EvaluateAsync<int>("() => document.getElementById('notebook').scrollHeight + document.getElementById('header').offsetHeight");
        var before = page.ViewportSize!;
        await page.SetViewportSizeAsync(before.Width, Math.Clamp(height, before.Height, 16_000));
        await page.ScreenshotAsync(new() { Path = Path.Combine(NotebookServer.Screenshots, $"{name}.png") });
        await page.SetViewportSizeAsync(before.Width, before.Height);
    }

    public async ValueTask DisposeAsync()
    {
        // Else the page asks whether to leave what is not saved; the server ends its kernel.
        await page.EvaluateAsync("() => { window.onbeforeunload = null; return Jupyter.notebook.session.delete(); }");
        await page.CloseAsync();
    }
}
