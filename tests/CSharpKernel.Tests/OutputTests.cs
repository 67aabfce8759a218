using System.Text.Json.Nodes;
using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

public sealed class OutputTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    [Fact]
    public async Task Streams_keep_their_order_and_are_coalesced()
    {
        var outputs = await _cells.Run("""
            for (var i = 0; i < 3; i++) { Console.Write(i); Console.WriteLine("ä🙂"); }
            Console.Error.Write('e');
            display("shown");
            Console.Write("{0}-{1}", 1, 2);
            "result"
            """);
        Assert.Collection(outputs,
            o => Assert.Equal(new Output.Stream("stdout", "0ä🙂\n1ä🙂\n2ä🙂\n"), o),
            o => Assert.Equal(new Output.Stream("stderr", "e"), o),
            o => Assert.IsType<Output.Display>(o),
            o => Assert.Equal(new Output.Stream("stdout", "1-2"), o),
            o => Assert.IsType<Output.Result>(o));
    }

    [Fact]
    public async Task Other_threads_write_too()
    {
        var outputs = await _cells.Run("""
            var threads = Enumerable.Range(0, 4).Select(n => new System.Threading.Thread(() => { for (var i = 0; i < 1000; i++) Console.WriteLine($"{n} {i}"); })).ToList();
            threads.ForEach(t => t.Start());
            threads.ForEach(t => t.Join());
            """);
        var lines = Cells.Text(outputs, "stdout").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4000, lines.Length);
        for (var n = 0; n < 4; n++)
        {
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{n} {i}"), lines.Where(l => l.StartsWith($"{n} ")));
        }
    }

    [Fact]
    public async Task Much_output_comes_in_few_pieces()
    {
        var outputs = await _cells.Run("for (var i = 0; i < 100_000; i++) Console.WriteLine(i);");
        Assert.Equal(string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i}\n")), Cells.Text(outputs, "stdout"));
        Assert.InRange(outputs.Count, 1, 1000);
    }

    [Fact]
    public async Task Values_are_displayed_and_updated()
    {
        var outputs = await _cells.Run("var d = display(1, \"text/plain\");\n2.Display(\"text/plain\");\nd.Update(\"three\");");
        var (first, second, update) = (Assert.IsType<Output.Display>(outputs[0]), Assert.IsType<Output.Display>(outputs[1]), Assert.IsType<Output.Update>(outputs[2]));
        Assert.Equal("""{"text/plain":"1"}""", first.Data.ToJsonString());
        Assert.Equal("""{"text/plain":"2"}""", second.Data.ToJsonString());
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(first.Id, update.Id);
        Assert.Equal("three", update.Data["text/plain"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("display(1)")]
    [InlineData("1.Display()")]
    [InlineData("\"<i/>\".DisplayAs(\"text/html\")")]
    [InlineData("return display(1);")]
    [InlineData("var shown = display(1);\nshown")]
    public async Task What_is_displayed_last_is_not_shown_once_more(string code) => Assert.IsType<Output.Display>(Assert.Single(await _cells.Run(code)));

    [Fact]
    public async Task A_console_that_a_cell_redirects_is_back_for_the_next()
    {
        await _cells.Run("var before = (Console.Out, Console.Error, Console.In);\nvar own = new System.IO.StringWriter(); Console.SetOut(own); Console.SetError(own); Console.SetIn(new System.IO.StringReader(\"mine\")); Console.Write(\"kept\");");
        var outputs = await _cells.Run("Console.Write(\"seen\"); Console.Error.Write(\"too\"); own.ToString()");
        Assert.Equal(("seen", "too"), (Cells.Text(outputs, "stdout"), Cells.Text(outputs, "stderr")));
        Assert.Equal("kept", Assert.IsType<Output.Result>(outputs[^1]).Data["text/plain"]!.GetValue<string>());
        Assert.Contains("nobody to ask", (await _cells.Error("Console.ReadLine()")).Message);
    }

    [Fact]
    public async Task Html_and_text_in_other_formats_are_displayed()
    {
        var outputs = await _cells.Run("HTML(\"<b>x</b>\").Display();\n\"<svg/>\".DisplayAs(\"image/svg+xml\");\n\"{\\\"a\\\": [1]}\".DisplayAs(\"application/json\");\nClearOutput(wait: true);");
        Assert.Equal("<b>x</b>", ((Output.Display)outputs[0]).Data["text/html"]!.GetValue<string>());
        Assert.Equal("<svg/>", ((Output.Display)outputs[1]).Data["image/svg+xml"]!.GetValue<string>());
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"a": [1]}"""), ((Output.Display)outputs[2]).Data["application/json"]));
        Assert.Equal(new Output.Clear(true), outputs[3]);
    }

    [Fact]
    public async Task Preferred_types_come_in_one_bundle_with_plain_text()
    {
        await _cells.Run(""""
            using Microsoft.DotNet.Interactive.Formatting;
            record Chart(int N);
            Formatter.SetPreferredMimeTypesFor(typeof(Chart), "application/vnd.test+json", "text/html");
            Formatter.Register<Chart>((c, w) => w.Write($$"""{"n": {{c.N}}}"""), "application/vnd.test+json");
            Formatter.Register<Chart>((c, w) => w.Write($"<i>{c.N}</i>"), "text/html");
            Formatter.Register<Chart>((c, w) => w.Write($"chart {c.N}"), "text/plain");
            """");
        var data = Assert.IsType<Output.Result>(Assert.Single(await _cells.Run("new Chart(3)"))).Data;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"application/vnd.test+json": {"n": 3}, "text/html": "<i>3</i>", "text/plain": "chart 3"}"""), data));
    }

    [Fact]
    public async Task Objects_and_collections_have_readable_plain_text()
    {
        Assert.Equal("[ 1, 2, 3 ]", await _cells.Result("new[] { 1, 2, 3 }"));
        Assert.Equal("(1, x)", await _cells.Result("(1, \"x\").ToString()"));
        Assert.Equal("""{"text/plain":"[ 1, 2 ]"}""", Assert.IsType<Output.Result>(Assert.Single(await _cells.Run("new[] { 1, 2 }"))).Data.ToJsonString());
        Assert.Contains("<table>", Assert.IsType<Output.Result>(Assert.Single(await _cells.Run("new { A = 1 }"))).Data["text/html"]!.GetValue<string>());
        Assert.Contains("A: 1", await _cells.Result("new { A = 1, B = \"b\" }"));
    }
}
