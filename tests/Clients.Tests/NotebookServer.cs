using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using CSharpKernel.Documents;
using Microsoft.Playwright;

namespace Clients.Tests;

/// <summary>Jupyter Notebook on loopback, and a Chromium without a window that opens its pages.</summary>
public sealed class NotebookServer(Jupyter jupyter) : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>In the repository, because notebooks look for its data from where they stand; two folders below its root, as <c>notebooks/solutions</c> is.</summary>
    readonly DirectoryInfo _folder = Directory.CreateDirectory(Path.Combine(TheSeries.Root, "artifacts", $"server-{Path.GetRandomFileName()}"));

    readonly string _token = Guid.NewGuid().ToString("N");

    Process? _server;
    string? _address;
    IPlaywright? _playwright;
    IBrowser? _browser;

    /// <summary>Where screenshots are kept.</summary>
    public static string Screenshots { get; } = Path.Combine(TheSeries.Root, "artifacts", "screenshots");

    /// <summary>Opens a page on a copy of a notebook that has never run, and waits for its kernel.</summary>
    public async Task<NotebookPage> Open(Notebook notebook)
    {
        var program = Programs.Named("jupyter-notebook", "jupyter-notebook");
        var chromium = Chromium();
        notebook.Json["metadata"]!["kernelspec"]!["name"] = await jupyter.Kernel;
        foreach (var cell in notebook.Cells.Where(c => c.IsCode))
        {
            cell.Json["outputs"]!.AsArray().Clear();
            cell.Json["execution_count"] = null;
            cell.Json["source"] = cell.Source.Replace("\"../lib/", "\"../../lib/", StringComparison.Ordinal);
        }

        var name = $"{Path.GetRandomFileName()}.ipynb";
        notebook.Save(Path.Combine(_folder.FullName, name));
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
        _browser ??= await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = chromium,
            Args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-dev-shm-usage"],
        });
        var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = 1200, Height = 900 } });
        page.SetDefaultTimeout((float)Limit.TotalMilliseconds);
        await page.GotoAsync($"{_address}notebooks/{name}?token={_token}");
        await page.WaitForFunctionAsync("() => window.Jupyter?.notebook?.kernel?.info_reply?.status === 'ok'");
        return new NotebookPage(page);
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

    static string Chromium()
    {
        try
        {
            return ChartPictures.FindChromium();
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
        var start = jupyter.Program(program, "--no-browser", "--allow-root", "--ip=127.0.0.1", $"--port={FreePort()}", $"--NotebookApp.token={_token}", "--MappingKernelManager.kernel_info_timeout=300", $"--notebook-dir={_folder.FullName}");
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _server = Process.Start(start)!;
        var errors = new List<string?>();
        _server.ErrorDataReceived += (_, e) => errors.Add(e.Data);
        _server.BeginErrorReadLine();
        _server.BeginOutputReadLine();

        // It writes where it listens once it does, under another port where this one was taken meanwhile.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var told = Path.Combine(jupyter.Folder, "runtime", $"nbserver-{_server.Id}.json");
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
