using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Documents;
using CSharpKernel.Headless;

namespace Notebooks.Tests;

/// <summary>Runs of small series, written into a folder of their own.</summary>
public sealed class SeriesRunTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("series-").FullName;
    readonly StringWriter _output = new() { NewLine = "\n" };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string Copies => Path.Combine(_folder, "copies");

    string Source(string name) => Series.PathOf(_folder, name);

    void Write(string name, params (string Code, string[] Tags)[] cells)
    {
        var json = new JsonObject
        {
            ["cells"] = new JsonArray([.. cells.Select((c, i) => (JsonNode)new JsonObject
            {
                ["cell_type"] = "code",
                ["execution_count"] = null,
                ["id"] = $"c{i}",
                ["metadata"] = new JsonObject { ["tags"] = new JsonArray([.. c.Tags.Select(t => JsonValue.Create(t))]) },
                ["outputs"] = new JsonArray(),
                ["source"] = c.Code,
            })]),
            ["metadata"] = new JsonObject(),
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        Directory.CreateDirectory(Path.GetDirectoryName(Source(name))!);
        File.WriteAllText(Source(name), json.ToJsonString());
    }

    void Write(string name, params string[] cells) => Write(name, [.. cells.Select(c => (c, Array.Empty<string>()))]);

    Task<int> Run(params string[] names) => Run(null, names);

    Task<int> Run(TimeSpan? timeout, params string[] names) =>
        new SeriesRun(new Series(_folder), Copies, _output, live: false) { CellTimeout = timeout }.Run(names, TestContext.Current.CancellationToken);

    [Fact]
    public async Task All_run_in_order_then_their_solutions_each_in_a_fresh_process()
    {
        Write("02-b", "int state = 2;", "Console.WriteLine(Environment.ProcessId);");
        Write("01-a", ("int state = 1;", []), ("$\"found {state}\\nmore\"", [NotebookRunner.Conclusion]));
        Write("solutions/01-a", "Console.WriteLine(System.IO.File.Exists(\"01-a.ipynb\"));", "Console.WriteLine(Environment.ProcessId);");
        File.WriteAllText(Path.Combine(_folder, "Draft.ipynb"), "not one of the series");
        var before = File.ReadAllText(Source("01-a"));

        Assert.Equal(0, await Run());

        var told = _output.ToString();
        Assert.Matches(@"(?s)\[1/3\] 01-a  cell 2/2  0:\d\d\n.*\[2/3\] 02-b  cell 1/2  .*\[3/3\] solutions/01-a  cell 2/2  ", told);
        Assert.Matches(@"(?s)notebook +cells +seconds +peak MB +what it found\n01-a +2 +\d+\.\d +\d+  found 1\n02-b +2 ", told);
        Assert.Equal(before, File.ReadAllText(Source("01-a")));
        Assert.Equal("found 1\nmore", NotebookCell.Text(Copy("01-a").Cells[1].Outputs.Single()!["data"]!["text/plain"]));
        Assert.Equal("True\n", NotebookCell.Text(Copy("solutions/01-a").Cells[0].Outputs.Single()!["text"]));
        Assert.NotEqual(NotebookCell.Text(Copy("02-b").Cells[1].Outputs.Single()!["text"]), NotebookCell.Text(Copy("solutions/01-a").Cells[1].Outputs.Single()!["text"]));
        Assert.Equal(3, Directory.GetFiles(Copies, "*", SearchOption.AllDirectories).Length);
    }

    Notebook Copy(string name) => Notebook.Load(Series.PathOf(Copies, name));

    [Fact]
    public async Task A_failing_cell_stops_its_notebook_and_is_told()
    {
        Write("01-a", "var before = 1;", "var zero = 0;\n\n  before = 1 / zero;", "\"never\"");
        Write("02-b", "\"fine\"");

        Assert.Equal(1, await Run());

        Assert.Contains("01-a: cell 2, line 3 failed:\n    before = 1 / zero;\n  System.DivideByZeroException: Attempted to divide by zero.\n     at cell 2, line 3\n", _output.ToString());
        Assert.Matches(@"01-a .*FAILED in cell 2\n02-b ", _output.ToString());
        var cells = Copy("01-a").Cells;
        Assert.Equal("error", cells[1].Outputs.Single()!["output_type"]!.GetValue<string>());
        Assert.Empty(cells[2].Outputs);
        Assert.Null(cells[2].Json["execution_count"]);
        Assert.Single(Copy("02-b").Cells[0].Outputs);
    }

    [Fact]
    public async Task A_cell_that_ends_its_process_fails_its_notebook_alone()
    {
        Write("01-a", "Console.WriteLine(\"last words\"); Environment.Exit(7);");
        Write("02-b", "\"fine\"");

        Assert.Equal(1, await Run());

        Assert.Contains("01-a: cell 1 failed:\n  cell 1 ended the process that ran it: exit code 7.\n", _output.ToString());
        Assert.Equal("last words\n", NotebookCell.Text(Copy("01-a").Cells[0].Outputs[0]!["text"]));
        Assert.Matches(@"02-b +1 +\d", _output.ToString());
    }

    [Fact]
    public async Task A_cell_is_stopped_after_its_time()
    {
        Write("01-a", "while (true) { }");
        Assert.Equal(1, await Run(TimeSpan.FromMilliseconds(1)));
        Assert.Contains("01-a: cell 1 failed:\n  cell 1 ran longer than 0.001 s and was stopped.\n", _output.ToString());
    }

    [Fact]
    public async Task An_expected_exception_is_kept_and_the_run_goes_on()
    {
        Write("01-a", ("throw new Exception(\"shown\");", [NotebookRunner.RaisesException]), ("\"after\"", []));
        Assert.Equal(0, await Run());
        Assert.Equal("shown", Copy("01-a").Cells[0].Outputs.Single()!["evalue"]!.GetValue<string>());
        Assert.Single(Copy("01-a").Cells[1].Outputs);

        Write("01-a", ("1", [NotebookRunner.RaisesException]));
        Assert.Equal(1, await Run());
        Assert.Contains("The cell is tagged raises-exception, but raised none.", _output.ToString());
    }

    [Fact]
    public async Task A_notebook_that_cannot_be_read_fails_alone()
    {
        File.WriteAllText(Source("01-a"), "{}");
        Write("02-b", "1");
        Assert.Equal(1, await Run());
        Assert.Matches("01-a: .*01-a.ipynb: nbformat: expected 4, found nothing", _output.ToString());
        Assert.Matches(@"02-b +1 +\d", _output.ToString());
    }

    [Theory]
    [InlineData(new string[] { }, "01-a 02-b 02-c solutions/01-a solutions/02-b")]
    [InlineData(new[] { "01" }, "01-a")]
    [InlineData(new[] { "02-b.ipynb" }, "02-b")]
    [InlineData(new[] { "02", "01-a" }, "01-a 02-b 02-c")]
    [InlineData(new[] { "solutions" }, "solutions/01-a solutions/02-b")]
    [InlineData(new[] { "solutions/02" }, "solutions/02-b")]
    [InlineData(new[] { "solutions\\01-a" }, "solutions/01-a")]
    public void Notebooks_are_chosen_by_number_name_or_folder(string[] wanted, string expected)
    {
        foreach (var name in new[] { "02-c", "02-b", "01-a", "solutions/02-b", "solutions/01-a" })
        {
            Write(name, "1");
        }

        Assert.Equal(expected, string.Join(' ', new Series(_folder).Select(wanted)));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("03")]
    [InlineData("01-b")]
    public async Task A_name_that_fits_none_is_told_with_those_that_there_are(string name)
    {
        Write("01-a", "1");
        Assert.Equal(1, await Run(name));
        Assert.Equal($"There is no notebook '{name}'; there are:\n  01-a\n", _output.ToString());
    }

    [Fact]
    public async Task An_interrupt_ends_the_run_and_kills_the_process()
    {
        Write("01-a", "System.IO.File.WriteAllText(\"process\", $\"{Environment.ProcessId}\");", "while (true) { }");
        Write("02-b", "1");
        using var interrupt = new CancellationTokenSource();
        using var output = new InterruptingWriter("cell 2/2", interrupt);
        var code = await new SeriesRun(new Series(_folder), Copies, output, live: false).Run([], interrupt.Token);
        Assert.Equal(130, code);
        Assert.DoesNotContain("02-b", output.ToString());
        var id = int.Parse(File.ReadAllText(Path.Combine(_folder, "process")));
        Assert.DoesNotContain(Process.GetProcesses(), p => p.Id == id);
        Assert.Contains("while (true)", File.ReadAllText(Source("01-a")));
    }

    sealed class InterruptingWriter(string at, CancellationTokenSource interrupt) : StringWriter
    {
        public override void Write(string? value)
        {
            base.Write(value);
            if (value?.Contains(at) == true)
            {
                interrupt.Cancel();
            }
        }
    }

    [Theory]
    [InlineData(true, @"^(\r\[1/1\] 01-a  cell \d/2  \d+:\d\d\u001b\[K)*\r\[1/1\] 01-a  cell 1/2  \d+:\d\d\u001b\[K")]
    [InlineData(false, @"^\[1/1\] 01-a  cell 1/2  \d+:\d\d\n")]
    public void Progress_is_one_line_in_a_terminal_and_many_elsewhere(bool live, string told)
    {
        using (var progress = new Progress("[1/1] 01-a", 2, _output, live))
        {
            progress.Start(1);
        }

        Assert.Matches(told, _output.ToString());
    }

    [Fact]
    public async Task In_place_a_chart_gets_its_picture_and_loses_its_html()
    {
        var pictures = new ChartPictures(Path.Combine(TheSeries.Root, "lib", "bin", "Plotly.NET.dll"));
        const string Chart = """"
            using Microsoft.DotNet.Interactive.Formatting;
            record Chart(string Kind);
            Formatter.SetPreferredMimeTypesFor(typeof(Chart), "application/vnd.plotly.v1+json", "text/html");
            Formatter.Register<Chart>((c, w) => w.Write($$"""{"data": [{"type": "{{c.Kind}}", "x": [1, 2], "y": [3, 1]}], "layout": {"title": {"text": "</script><b>é</b>"}, "width": 300, "height": 200} }"""), "application/vnd.plotly.v1+json");
            Formatter.Register<Chart>((c, w) => w.Write("<script>draw()</script>"), "text/html");
            Formatter.Register<Chart>((c, w) => w.Write("a chart"), "text/plain");
            new Chart("bar")
            """";
        Write("01-a", Chart, "display(new Chart(\"scatter\"));\n\"after\"");
        var run = new SeriesRun(new Series(_folder), Copies, _output, live: false) { Pictures = pictures };
        var code = await run.Run([], TestContext.Current.CancellationToken);
        if (code == 1 && _output.ToString().Contains("needs Chromium"))
        {
            Assert.Skip(_output.ToString());
        }

        Assert.True(code == 0, _output.ToString());
        var cells = Notebook.Load(Source("01-a")).Cells;
        foreach (var output in new[] { cells[0].Outputs.Single()!, cells[1].Outputs[0]! })
        {
            Assert.Equal([ChartPictures.ChartType, "image/png", "text/plain"], output["data"]!.AsObject().Select(d => d.Key));
            using var picture = Vit.Data.Picture.Decode(Convert.FromBase64String(output["data"]!["image/png"]!.GetValue<string>()));
            Assert.Equal([3L, 300, 450], picture.shape);
            Assert.False(OutputComparer.IsBlank(picture));
        }

        Assert.NotEqual(cells[0].Outputs[0]!["data"]!["image/png"]!.GetValue<string>(), cells[1].Outputs[0]!["data"]!["image/png"]!.GetValue<string>());
        Assert.Contains("text/html", Copy("01-a").Cells[0].Outputs.Single()!["data"]!.AsObject().Select(d => d.Key));
    }

    [Fact]
    public async Task In_place_what_front_ends_have_noted_goes()
    {
        // As VS Code has saved it, with an older version's name for the language, and as JupyterLab and Jupyter Notebook note times and folds.
        File.WriteAllText(Source("01-a"), """
            {"cells": [
              {"cell_type": "markdown", "id": "a", "metadata": {"vscode": {"languageId": "markdown"}}, "source": "Text"},
              {"cell_type": "code", "execution_count": 7, "id": "b", "outputs": [], "source": "1", "metadata": {"vscode": {"languageId": "csharp"},
                "tags": ["check"], "tolerance": 0.1, "execution": {"iopub.status.busy": "now"}, "collapsed": false, "scrolled": true, "jupyter": {"outputs_hidden": true}}}],
             "metadata": {"kernelspec": {"display_name": "C#", "language": "C#", "name": "csharp"}, "orig_nbformat": 4,
               "language_info": {"codemirror_mode": "text/x-csharp", "file_extension": ".cs", "mimetype": "text/x-csharp", "name": "C#", "pygments_lexer": "csharp", "version": "14.0"}},
             "nbformat": 4, "nbformat_minor": 5}
            """);
        var run = new SeriesRun(new Series(_folder), Copies, _output, live: false) { Pictures = new ChartPictures("none") };
        Assert.Equal(0, await run.Run([], TestContext.Current.CancellationToken));
        var notebook = Notebook.Load(Source("01-a"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(ContractTests.Metadata), notebook.Json["metadata"]), notebook.Json["metadata"]!.ToJsonString());
        Assert.Equal("{}", notebook.Cells[0].Json["metadata"]!.ToJsonString());
        Assert.Equal(
            """{"dotnet_interactive":{"language":"csharp"},"polyglot_notebook":{"kernelName":"csharp"},"tags":["check"],"tolerance":0.1}""",
            notebook.Cells[1].Json["metadata"]!.ToJsonString());
    }

    [Fact]
    public async Task In_place_a_notebook_that_fails_stays_as_it_is()
    {
        Write("01-a", "throw new Exception();");
        var before = File.ReadAllText(Source("01-a"));
        var run = new SeriesRun(new Series(_folder), Copies, _output, live: false) { Pictures = new ChartPictures("none") };
        Assert.Equal(1, await run.Run([], TestContext.Current.CancellationToken));
        Assert.Equal(before, File.ReadAllText(Source("01-a")));

        // Nor does one whose charts cannot be drawn change.
        Write("01-a", "\"{}\".DisplayAs(\"application/vnd.plotly.v1+json\");");
        before = File.ReadAllText(Source("01-a"));
        Assert.Equal(1, await run.Run([], TestContext.Current.CancellationToken));
        Assert.Equal(before, File.ReadAllText(Source("01-a")));
    }

    [Theory]
    [InlineData(0, "--in-place", "--help")]
    [InlineData(1, "--cell-timeout takes a number of seconds above 0.", "--cell-timeout", "0")]
    [InlineData(1, "--cell-timeout takes a number", "--cell-timeout", "soon")]
    [InlineData(1, "There is no notebook '99'", "99")]
    public async Task The_command_line_tells_what_it_takes_and_refuses_the_rest(int code, string told, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", typeof(Series).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = _folder,
        })!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var text = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await errors;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == code, text);
        Assert.Contains(told, text);
    }
}
