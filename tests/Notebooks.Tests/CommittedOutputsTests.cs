using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Documents;
using CSharpKernel.Headless;

namespace Notebooks.Tests;

/// <summary>
/// Notebooks in our kernel, without a network, and beside that in .NET Interactive. There a plain value comes in a box of HTML
/// where our kernel gives text/plain, and <c>#r "nuget: …"</c> lists what it has loaded; all else is as committed.
/// </summary>
public sealed partial class CommittedOutputsTests
{
    // Both at once on the same cores: each of libtorch's threads would wait for those of the other.
    static CommittedOutputsTests() => Environment.SetEnvironmentVariable("OMP_NUM_THREADS", $"{Math.Max(1, Environment.ProcessorCount / 2)}");

    [Theory, MemberData(nameof(TheSeries.Names), MemberType = typeof(TheSeries))]
    public async Task Running_a_notebook_in_either_kernel_gives_what_is_committed(string name)
    {
        var path = TheSeries.PathOf(name);
        var (committed, ours, interactive) = (Notebook.Load(path), Notebook.Load(path), Notebook.Load(path));
        var folder = Path.GetDirectoryName(path)!;
        var missing = await InteractiveKernel.Restored;
        var other = missing is null ? InteractiveKernel.Run(interactive, folder) : Task.FromResult<string?>(null);
        NotebookResult result;
        try
        {
            result = await NoNetwork.Run(() => NotebookRunner.Run(ours, folder, cancellation: TestContext.Current.CancellationToken));
        }
        finally
        {
            await Task.WhenAny(other);
        }

        Assert.True(result.Failure is null, result.Failure is null ? null : $"cell {result.Failure.Cell}, line {result.Failure.Line}: {result.Failure.Source}\n{string.Join('\n', result.Failure.Details)}");
        OutputComparer.AssertSame(committed, ours);

        Assert.SkipUnless(missing is null, $"Our kernel gives what is committed. The tool microsoft.dotnet-interactive cannot be restored: {missing}");
        var failure = await other;
        Assert.True(failure is null, $".NET Interactive, {failure}");
        AsOursWouldShow(interactive);
        var differences = Record.Exception(() => OutputComparer.AssertSame(committed, interactive));
        Assert.True(differences is null, $".NET Interactive: {differences?.Message}");
    }

    static void AsOursWouldShow(Notebook notebook)
    {
        foreach (var outputs in notebook.Cells.Where(c => c.IsCode).Select(c => c.Outputs))
        {
            outputs.Where(o => NotebookCell.Text(o!["data"]?["text/html"]).Contains("Installed Packages", StringComparison.Ordinal)).ToList().ForEach(o => outputs.Remove(o));
            foreach (var data in outputs.Select(o => o!["data"]).OfType<JsonObject>())
            {
                if (data["text/html"] is { } html && PlainText().Match(NotebookCell.Text(html)) is { Success: true } plain)
                {
                    data.Remove("text/html");
                    data["text/plain"] = WebUtility.HtmlDecode(plain.Groups["text"].Value);
                }
            }
        }
    }

    [GeneratedRegex("""^<div class="dni-plaintext"><pre>(?<text>.*?)</pre></div>(<style>.*</style>)?\s*$""", RegexOptions.Singleline)]
    private static partial Regex PlainText();
}
