using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Documents;
using CSharpKernel.Headless;
using CSharpKernel.Outputs;

namespace Notebooks.Tests;

/// <summary>What cells may say: the same in both kernels, save where a table says otherwise.</summary>
public sealed partial class DialectTests
{
    const string Heading = "## Cell by cell against .NET Interactive";

    /// <summary>So much of a cell and of what it gives is compared and told.</summary>
    const int Longest = 100;

    static readonly string Folder = Path.Combine(TheSeries.Root, "tests", "Notebooks.Tests", "Dialect");
    static readonly string Readme = Path.Combine(TheSeries.Root, "lib", "CSharpKernel", "README.md");

    [Fact]
    public async Task The_kernels_differ_where_the_readme_says_so_and_nowhere_else()
    {
        var cells = Notebook.Load(Path.Combine(Folder, "dialect.ipynb")).Cells;
        using var tool = await InteractiveKernel.Start(Folder);
        var theirs = await Run(cells, tool.Execute);
        using var process = KernelProcess.Start(Folder);
        var ours = await Run(cells, (code, sink) => process.Execute(code, "cell", sink, cancellation: TestContext.Current.CancellationToken));

        var differing = cells.Select((c, i) => $"| {Code(c.Source)} | {Code(ours[i])} | {Code(theirs[i])} |").Where((_, i) => ours[i] != theirs[i]).ToList();
        var told = File.ReadLines(Readme).SkipWhile(l => l != Heading).Skip(1).TakeWhile(l => !l.StartsWith('#')).Where(l => l.StartsWith("| `", StringComparison.Ordinal));
        Assert.True(differing.SequenceEqual(told), $"The kernels differ otherwise than {Readme} says. Its rows under \"{Heading}\" would be:\n{string.Join('\n', differing)}");
    }

    /// <summary>What each cell gives.</summary>
    static async Task<List<string>> Run(IEnumerable<NotebookCell> cells, Func<string, Action<Output>, Task> execute)
    {
        var given = new List<string>();
        var displays = new Dictionary<string, JsonObject>();
        foreach (var cell in cells)
        {
            cell.Reset(null);
            try
            {
                await execute(cell.Source, output => cell.Add(output, displays));
            }
            catch (Exception e) when (e is KernelDiedException or InvalidOperationException)
            {
                given.Add("the end of the kernel");
                continue;
            }

            given.Add(Short(cell.Outputs.Count == 0 ? "nothing" : string.Join("; ", cell.Outputs.Select(o => Told(o!.AsObject())))));
        }

        return given;
    }

    static string Told(JsonObject output)
    {
        var type = output["output_type"]!.GetValue<string>();
        if (type == "error")
        {
            var text = $"{output["ename"]}: {output["evalue"]} {string.Concat(output["traceback"]!.AsArray())}";
            var name = ExceptionName().Match(text) is { Success: true } exception ? exception.Value : output["evalue"]!.GetValue<string>();
            return $"error {string.Join(' ', CompilerErrors().Matches(text).Select(m => m.Value).Distinct().DefaultIfEmpty(name))}";
        }

        if (type == "stream")
        {
            var text = NotebookCell.Text(output["text"]);
            return $"{output["name"]} {(CompilerWarning().Match(text) is { Success: true } warning ? $"warning {warning.Value}" : text)}";
        }

        // A plain value comes in a box of HTML there and as text here; a table comes as HTML in both.
        var data = output["data"]!.AsObject();
        var (mime, content) = data.FirstOrDefault(d => d.Key == "text/html") is { Key: not null } html ? html : data.First();
        return $"{(type == "execute_result" ? "result" : "display")}{(mime is "text/html" or "text/plain" ? "" : $" {mime}")} {Duration().Replace(WebUtility.HtmlDecode(Tags().Replace(NotebookCell.Text(content), " ")), "…")}";
    }

    static string Short(string text)
    {
        var line = Blanks().Replace(text.Trim().ReplaceLineEndings(" ⏎ "), " ");
        return line.Length <= Longest ? line : $"{line[..Longest]}…";
    }

    static string Code(string text) => $"`{Short(text).Replace("|", "\\|").Replace('`', '\'')}`";

    [GeneratedRegex(@"CS\d{4}(?=:)")]
    private static partial Regex CompilerErrors();

    [GeneratedRegex(@"CS\d{4}")]
    private static partial Regex CompilerWarning();

    [GeneratedRegex(@"\w*Exception\b")]
    private static partial Regex ExceptionName();

    [GeneratedRegex(@"<style>[\s\S]*?</style>|<[^<>]+>")]
    private static partial Regex Tags();

    [GeneratedRegex(@"\d+(\.\d+)? ?ms")]
    private static partial Regex Duration();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
