using System.Net;
using System.Text.Json;

namespace Vit.Interactive;

/// <summary>Whole pages with their data inside, made from an embedded one that says <c>"DATA"</c> where they belong.</summary>
static class Page
{
    static readonly JsonSerializerOptions Short = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The embedded page of a name, such as <c>Film.html</c>.</summary>
    public static string Template(string name)
    {
        using var stream = typeof(Page).Assembly.GetManifestResourceStream(name)!;
        return new StreamReader(stream).ReadToEnd();
    }

    /// <summary>The page with its data, as JSON that ends no script.</summary>
    public static string Filled(string template, object data) =>
        template.Replace("\"DATA\"", JsonSerializer.Serialize(data, Short).Replace("<", "\\u003c", StringComparison.Ordinal), StringComparison.Ordinal);

    /// <summary>The page in a frame of a notebook, as wide as the notebook is.</summary>
    /// <param name="page">The page.</param>
    /// <param name="title">What it shows, to whoever does not see it.</param>
    /// <param name="height">In pixels.</param>
    public static string Frame(string page, string title, int height) =>
        $"""<iframe srcdoc="{WebUtility.HtmlEncode(page)}" title="{WebUtility.HtmlEncode(title)}" style="width: 100%; height: {height}px; border: 0"></iframe>""";
}
