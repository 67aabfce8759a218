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
    /// A page's worth of HTML that needs no network: the process's first chart carries plotly.js, later ones find it in
    /// the window.
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
            {{(number == 1 ? Library() : "")}}<script>
            (function () {
                var chart = {{json}}, place = document.getElementById("{{id}}");
                if (window.Plotly) window.Plotly.newPlot(place, chart.data, chart.layout);
                else place.textContent = "This chart is drawn by the script that came with the notebook's first chart: run that cell again.";
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

    /// <summary>plotly.js from Plotly.NET's assembly; with a module loader in the page it would hide there instead of in the window.</summary>
    static string Library()
    {
        var assembly = typeof(GenericChart).Assembly;
        var name = assembly.GetManifestResourceNames().Single(name => name.EndsWith(".min.js", StringComparison.Ordinal));
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return $"<script>\n(function (define, exports, module) {{\n{reader.ReadToEnd()}\n}}).call(window);\n</script>\n";
    }
}
