using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Documents;

namespace Notebooks;

/// <summary>
/// Makes the charts of a notebook fit for committing: GitHub shows no plotly JSON and strips scripts from HTML, so a
/// chart gets a picture instead of its HTML. It is drawn by the plotly.js that Plotly.NET carries, in an installed Chromium.
/// </summary>
/// <param name="plotly">Plotly.NET.dll.</param>
sealed partial class ChartPictures(string plotly)
{
    /// <summary>The MIME type of a chart.</summary>
    public const string ChartType = "application/vnd.plotly.v1+json";

    const int DefaultWidth = 700;
    const int DefaultHeight = 450;
    const double Scale = 1.5;
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Gives every chart its picture and takes its HTML, and that of all else that has a picture.</summary>
    /// <exception cref="ChartPicturesException">There is no Chromium, or it did not draw a chart; the notebook is as before.</exception>
    public async Task Draw(Notebook notebook, CancellationToken cancellation)
    {
        var outputs = notebook.Cells.Where(c => c.IsCode).SelectMany(c => c.Outputs).OfType<JsonObject>().Where(o => o["data"] is JsonObject).ToList();
        var charts = outputs.Where(o => ((JsonObject)o["data"]!).ContainsKey(ChartType)).ToList();
        var pictures = charts.Count == 0 ? [] : await Draw([.. charts.Select(c => c["data"]![ChartType]!)], cancellation);
        foreach (var (chart, picture) in charts.Zip(pictures))
        {
            var data = (JsonObject)chart["data"]!;
            var layout = data[ChartType]!["layout"];
            // The picture has more pixels than the chart is to take up on a page.
            chart["metadata"] = new JsonObject
            {
                ["image/png"] = new JsonObject
                {
                    ["height"] = (int?)layout?["height"] ?? DefaultHeight,
                    ["width"] = (int?)layout?["width"] ?? DefaultWidth,
                },
            };
            data["image/png"] = picture;
            var sorted = data.OrderBy(c => c.Key, StringComparer.Ordinal).ToList();
            data.Clear();
            foreach (var (type, content) in sorted)
            {
                data.Add(type, content);
            }
        }

        foreach (var data in outputs.Select(o => (JsonObject)o["data"]!).Where(d => d.ContainsKey("image/png")))
        {
            data.Remove("text/html");
        }
    }

    async Task<IReadOnlyList<string>> Draw(IReadOnlyList<JsonNode> charts, CancellationToken cancellation)
    {
        var chromium = FindChromium();
        var folder = Directory.CreateTempSubdirectory("charts-").FullName;
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, "plotly.js"), PlotlyScript.Read(plotly), cancellation);
            var page = Path.Combine(folder, "charts.html");
            // "<" would end the script element inside a string.
            var json = JsonSerializer.Serialize(charts).Replace("<", "\\u003c", StringComparison.Ordinal);
            await File.WriteAllTextAsync(page, $$"""
                <!DOCTYPE html><meta charset="utf-8"><script src="plotly.js"></script><body><script>
                (async () => {
                  for (const chart of {{json}}) {
                    const result = document.createElement('pre');
                    try {
                      const layout = chart.layout ?? {};
                      result.textContent = await Plotly.toImage({ data: chart.data, layout },
                        { format: 'png', width: layout.width ?? {{DefaultWidth}}, height: layout.height ?? {{DefaultHeight}}, scale: {{Scale.ToString(CultureInfo.InvariantCulture)}} });
                    } catch (error) { result.textContent = 'error: ' + (error?.message ?? error); }
                    document.body.append(result);
                  }
                })();
                </script></body>
                """, cancellation);
            var document = await Dump(chromium, page, folder, cancellation);
            var results = Result().Matches(document).Select(m => m.Groups["text"].Value).ToList();
            if (results.Count != charts.Count || results.Find(r => !r.StartsWith(PngUrl, StringComparison.Ordinal)) is not null)
            {
                var reason = results.Find(r => !r.StartsWith(PngUrl, StringComparison.Ordinal)) ?? $"{results.Count} of {charts.Count} were drawn";
                throw new ChartPicturesException($"{chromium} did not draw the charts: {reason}.");
            }

            return [.. results.Select(r => r[PngUrl.Length..])];
        }
        finally
        {
            Delete(folder);
        }
    }

    const string PngUrl = "data:image/png;base64,";

    static async Task<string> Dump(string chromium, string page, string folder, CancellationToken cancellation)
    {
        using var process = Start(new ProcessStartInfo(chromium)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
                $"--user-data-dir={Path.Combine(folder, "profile")}", "--virtual-time-budget=60000", "--dump-dom", new Uri(page).AbsoluteUri,
            },
        });
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var document = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0 ? document : throw new ChartPicturesException($"{chromium} ended with exit code {process.ExitCode}: {(await errors).Trim()}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ChartPicturesException($"{chromium} did not draw the charts within {Limit.TotalMinutes} minutes.");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ChartPicturesException($"{start.FileName} cannot be started: {e.Message}");
        }
    }

    /// <summary>Finds an installed Chromium or a browser made from it.</summary>
    /// <exception cref="ChartPicturesException">There is none.</exception>
    public static string FindChromium()
    {
        const string Variable = "CHROMIUM";
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen)
        {
            return File.Exists(chosen) ? chosen : throw new ChartPicturesException($"{Variable} is '{chosen}', where there is no file.");
        }

        string[] names = OperatingSystem.IsWindows()
            ? ["chromium.exe", "chrome.exe", "msedge.exe"]
            : ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
        var onPath = from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                     from name in names
                     select Path.Combine(folder, name);
        string[] usual = OperatingSystem.IsMacOS()
            ? [.. new[] { "Chromium", "Google Chrome", "Microsoft Edge" }.Select(n => $"/Applications/{n}.app/Contents/MacOS/{n}")]
            : OperatingSystem.IsWindows()
            ? [.. from root in new[] { Environment.SpecialFolder.ProgramFiles, Environment.SpecialFolder.ProgramFilesX86, Environment.SpecialFolder.LocalApplicationData }
                  from program in new[] { @"Chromium\Application\chrome.exe", @"Google\Chrome\Application\chrome.exe", @"Microsoft\Edge\Application\msedge.exe" }
                  select Path.Combine(Environment.GetFolderPath(root), program)]
            : ["/snap/bin/chromium", "/opt/google/chrome/chrome"];
        return onPath.Concat(usual).FirstOrDefault(File.Exists)
            ?? throw new ChartPicturesException($"Drawing the charts needs Chromium or Chrome, which is neither on PATH nor at its usual place: install it, or set {Variable} to its path.");
    }

    static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Chromium's last processes may still hold files of a temporary folder; the system clears it.
        }
    }

    [GeneratedRegex("<pre>(?<text>[^<]*)</pre>")]
    private static partial Regex Result();
}
