using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Documents;

namespace Notebooks.Tests;

/// <summary>
/// Notebooks in .NET Interactive: their outputs are the committed ones, save that a plain value comes in a box of HTML
/// there, where our kernel gives text/plain, and that <c>#r "nuget: …"</c> lists what it has loaded.
/// </summary>
public sealed partial class InteractiveSeriesTests
{
    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public async Task Interactive_gets_what_our_kernel_has_committed(string name)
    {
        var path = TheSeries.PathOf(name);
        var (committed, fresh) = (Notebook.Load(path), Notebook.Load(path));
        Assert.Null(await InteractiveKernel.Run(fresh, Path.GetDirectoryName(path)!));
        foreach (var outputs in fresh.Cells.Where(c => c.IsCode).Select(c => c.Outputs))
        {
            outputs.Where(o => NotebookCell.Text(o!["data"]?["text/html"]).Contains("Installed Packages", StringComparison.Ordinal)).ToList().ForEach(o => outputs.Remove(o));
        }

        foreach (var data in fresh.Cells.Where(c => c.IsCode).SelectMany(c => c.Outputs).Select(o => o!["data"]).OfType<JsonObject>())
        {
            if (data["text/html"] is { } html && PlainText().Match(NotebookCell.Text(html)) is { Success: true } plain)
            {
                data.Remove("text/html");
                data["text/plain"] = WebUtility.HtmlDecode(plain.Groups["text"].Value);
            }
        }

        OutputComparer.AssertSame(committed, fresh);
    }

    [GeneratedRegex("""^<div class="dni-plaintext"><pre>(?<text>.*?)</pre></div>(<style>.*</style>)?\s*$""", RegexOptions.Singleline)]
    private static partial Regex PlainText();
}
