using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Plotly.NET;

namespace Vit.Interactive;

/// <summary>A chart for each kind of front end.</summary>
static class ChartOutput
{
    public const string MimeType = "application/vnd.plotly.v1+json";

    static int count;

    /// <summary>Data and layout for front ends that bring plotly.js, without the default template, which is most of it.</summary>
    public static string Json(GenericChart chart) => Figure(chart).ToJsonString();

    /// <summary>
    /// A chart that a page of Jupyter's draws without a network: plotly.js comes from the server, which hands out what the
    /// kernel's installation has put into its build, once for all charts of the page. It is run where it finds
    /// no module loader, or it would hide there instead of in the window.
    /// </summary>
    public static string Html(GenericChart chart) => Html(chart, Interlocked.Increment(ref count));

    /// <param name="chart">The chart.</param>
    /// <param name="number">Which chart of the process, from 1.</param>
    internal static string Html(GenericChart chart, int number)
    {
        var json = Json(chart);
        // JupyterLab keeps several notebooks in one document: the number alone would not tell their charts apart.
        var id = $"chart-{number}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json)))[..8]}";
        return $$"""
            <div id="{{id}}"></div>
            <script>
            (async function () {
                const chart = {{json}}, place = document.getElementById("{{id}}");
                async function load() {
                    const config = document.getElementById("jupyter-config-data");
                    const base = config ? JSON.parse(config.textContent).baseUrl : document.body.dataset.baseUrl;
                    const { kernelspecs } = base ? await (await fetch(base + "api/kernelspecs")).json() : {};
                    for (const { name, spec } of Object.values(kernelspecs ?? {})) {
                        const build = spec.argv.find(a => a.endsWith("CSharpKernel.dll"))?.split(/[\\/]/).at(-2);
                        const file = build && await fetch(base + ["kernelspecs", name, build, "plotly.min.js"].join("/"));
                        if (file?.ok) return Function("define", "exports", "module", await file.text()).call(window);
                    }
                }
                if (!window.Plotly) await (window.loadingPlotly ??= load().catch(() => {}));
                if (window.Plotly) await window.Plotly.newPlot(place, chart.data, chart.layout);
                else place.textContent = "This chart is drawn by plotly.js, which the kernel of vit-notebooks brings: install it, and reload this page.";
            })();
            </script>
            """;
    }

    public static string Text(GenericChart chart)
    {
        var figure = Figure(chart);
        var title = figure["layout"]?["title"];
        var name = (title is JsonObject ? title["text"] : title)?.ToString();
        var traces = figure["data"] is JsonArray data ? data.Count : 0;
        return $"chart: {(string.IsNullOrEmpty(name) ? "untitled" : name)}, {traces} {(traces == 1 ? "trace" : "traces")}";
    }

    static JsonObject Figure(GenericChart chart)
    {
        var figure = JsonNode.Parse(GenericChart.toFigureJson(chart))!.AsObject();
        (figure["layout"] as JsonObject)?.Remove("template");
        return figure;
    }
}
