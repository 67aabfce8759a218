using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CSharpKernel.Documents;
using Microsoft.Playwright;

namespace Clients.Tests;

/// <summary>A Jupyter server on loopback, and a Chromium without a window that opens its pages.</summary>
public class NotebookServer(Jupyter jupyter) : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>In the repository, because notebooks look for its data from where they stand; two folders below its root, as <c>notebooks/solutions</c> is.</summary>
    readonly DirectoryInfo _folder = Directory.CreateDirectory(Path.Combine(TheSeries.Root, "artifacts", $"server-{Path.GetRandomFileName()}"));

    readonly string _token = Guid.NewGuid().ToString("N");

    Process? _server;
    string? _address;
    IPlaywright? _playwright;
    IBrowser? _browser;

    /// <summary>A notebook of the series with pictures and charts.</summary>
    public static string Shown { get; } = TheSeries.Series.Select(["02"]).Single();

    /// <summary>Where screenshots are kept.</summary>
    public static string Screenshots { get; } = Path.Combine(TheSeries.Root, "artifacts", "screenshots");

    /// <summary>The program that serves.</summary>
    protected virtual string ProgramName => "jupyter-notebook";

    /// <summary>Debian's package that holds it; null where none does.</summary>
    protected virtual string? Package => "jupyter-notebook";

    /// <summary>What it is started with.</summary>
    protected virtual string[] Arguments(int port, string token, string folder) =>
    [
        "--no-browser", "--allow-root", "--ip=127.0.0.1", $"--port={port}", $"--NotebookApp.token={token}", "--MappingKernelManager.kernel_info_timeout=300",
        $"--notebook-dir={folder}",
    ];

    /// <summary>The file in which it tells where it listens.</summary>
    protected virtual string Told(int process) => $"nbserver-{process}.json";

    /// <summary>Where it shows a notebook, below its own address.</summary>
    protected virtual string Address(string notebook) => $"notebooks/{notebook}";

    /// <summary>Opens a page on a copy of a notebook that has never run, and waits for its kernel.</summary>
    public async Task<NotebookPage> Open(Notebook notebook)
    {
        var (page, file) = await OpenPage(notebook);
        await page.WaitForFunctionAsync("() => window.Jupyter?.notebook?.kernel?.info_reply?.status === 'ok'");
        return new NotebookPage(page, file);
    }

    /// <summary>Opens a page on a copy of a notebook that has never run.</summary>
    /// <returns>The page, which still loads, and the notebook's file.</returns>
    public async Task<(IPage Page, string File)> OpenPage(Notebook notebook)
    {
        var program = Programs.Named(ProgramName, Package);
        var browser = Browser();
        notebook.Json["metadata"]!["kernelspec"]!["name"] = await jupyter.Kernel;
        foreach (var cell in notebook.Cells.Where(c => c.IsCode))
        {
            cell.Json["outputs"]!.AsArray().Clear();
            cell.Json["execution_count"] = null;
            cell.Json["source"] = cell.Source.Replace("\"../lib/", "\"../../lib/", StringComparison.Ordinal);
        }

        var name = $"{Path.GetRandomFileName()}.ipynb";
        var file = Path.Combine(_folder.FullName, name);
        notebook.Save(file);
        if (_address is null)
        {
            var images = _folder.CreateSubdirectory("images");
            foreach (var image in Directory.EnumerateFiles(Path.Combine(TheSeries.Series.Folder, "images")))
            {
                File.Copy(image, Path.Combine(images.FullName, Path.GetFileName(image)));
            }

            _address = await Start(program);
        }

        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(browser);
        var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = 1200, Height = 900 } });
        page.SetDefaultTimeout((float)Limit.TotalMilliseconds);
        await page.GotoAsync($"{_address}{Address(name)}?token={_token}");
        return (page, file);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_server is { HasExited: false })
        {
            // Its kernels are its children.
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync();
        }

        _server?.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>How the browser is started; where there is none, the test is skipped.</summary>
    internal static BrowserTypeLaunchOptions Browser()
    {
        try
        {
            return new()
            {
                ExecutablePath = ChartPictures.FindChromium(),
                Args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-dev-shm-usage"],
            };
        }
        catch (ChartPicturesException e)
        {
            Assert.Skip($"{e.Message} (Debian: apt-get install chromium)");
            throw;
        }
    }

    /// <summary>Starts the server and waits for it.</summary>
    /// <returns>Its address, which ends with '/'.</returns>
    async Task<string> Start(string program)
    {
        var start = jupyter.Program(program, Arguments(FreePort(), _token, _folder.FullName));
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _server = Process.Start(start)!;
        var errors = new List<string?>();
        _server.ErrorDataReceived += (_, e) => errors.Add(e.Data);
        _server.BeginErrorReadLine();
        _server.BeginOutputReadLine();

        // It writes where it listens once it does, under another port where this one was taken meanwhile.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var told = Path.Combine(jupyter.Folder, "runtime", Told(_server.Id));
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new("token", _token);
        while (true)
        {
            Assert.False(_server.HasExited, string.Join('\n', errors));
            try
            {
                using var json = JsonDocument.Parse(await File.ReadAllTextAsync(told, limit.Token));
                var address = json.RootElement.GetProperty("url").GetString()!;
                (await http.GetAsync($"{address}api/kernelspecs", limit.Token)).EnsureSuccessStatusCode();
                return address;
            }
            catch (Exception e) when (e is IOException or JsonException or HttpRequestException)
            {
                await Task.Delay(100, limit.Token);
            }
        }
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
