using System.Text.Json.Nodes;
using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

/// <summary>What each kind of value becomes in the bundle that the front end chooses from.</summary>
public sealed class DisplayTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    async Task<JsonObject> Bundle(string code) => Assert.IsType<Output.Result>(Assert.Single(await _cells.Run(code))).Data;

    [Theory]
    [InlineData("(string)null", "<null>")]
    [InlineData("12345", "12345")]
    [InlineData("1.5", "1.5")]
    [InlineData("true", "True")]
    [InlineData("\"a <b>\\nc\"", "a <b>\nc")]
    [InlineData("Guid.Empty", "00000000-0000-0000-0000-000000000000")]
    [InlineData("new List<string> { \"a\", \"b\" }", "[ a, b ]")]
    [InlineData("Enumerable.Range(0, 100)", "[ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 ... (80 more) ]")]
    public async Task Text_and_numbers_need_no_html(string code, string text) =>
        Assert.True(JsonNode.DeepEquals(new JsonObject { ["text/plain"] = text }, await Bundle(code)));

    [Theory]
    [InlineData("new DateTime(2024, 5, 6, 7, 8, 9)", "2024-05-06 07:08:09Z")]
    [InlineData("DateTimeOffset.UnixEpoch", "1970-01-01 00:00:00Z")]
    [InlineData("TimeSpan.FromMinutes(3)", "00:03:00")]
    [InlineData("DayOfWeek.Friday", "Friday")]
    public async Task Dates_and_enums_are_one_line(string code, string text)
    {
        var data = await Bundle(code);
        Assert.Equal(text, data["text/plain"]!.GetValue<string>());
        Assert.Equal($"<span>{text}</span>", data["text/html"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("new Point(1, 2)", "Point\n      X: 1\n      Y: 2", "<details open=\"open\" class=\"dni-treeview\"", "<code>Point { X = 1, Y = 2 }</code>", "<td>X</td>")]
    [InlineData("new Node { Child = new Node() }", "Node\n      Name: n\n      Child: Node\n        Name: n", "<code>Node</code>", "<td>Child</td><td><details class=\"dni-treeview\">")]
    [InlineData("new[] { new Point(1, 2), new Point(3, 4) }", "Point[]\n      - X: 1\n        Y: 2\n      - X: 3", "<th><i>index</i></th><th>value</th>", "<code>Point { X = 3, Y = 4 }</code>")]
    [InlineData("new List<object> { 1, \"a\", null }", "List<Object>\n    - 1\n    - a\n    - <null>", "<th><i>type</i></th>", "&lt;null&gt;")]
    [InlineData("new Dictionary<string, int> { [\"a\"] = 1 }", "Dictionary<String,Int32>\n      - Key: a\n        Value: 1", "<th><i>key</i></th><th>value</th>", "<pre>a</pre>")]
    [InlineData("new { A = 1, C = new { D = 2.5 } }", "anonymous\n      A: 1\n      C: anonymous\n        D: 2.5", "<code>{ A = 1, C = { D = 2.5 } }</code>", "<td>A</td>")]
    [InlineData("new[] { new { A = new List<int>() } }", "anonymous[]\n      - A: [  ]", "<th><i>index</i></th>", "<code>{ A = System.Collections.Generic.List`1[System.Int32] }</code>")]
    [InlineData("(1, \"a\")", "( 1, a )", "<code>(1, a)</code>", "<td>Item2</td>")]
    [InlineData("new Exception(\"bad\")", "System.Exception: bad", "<code>System.Exception: bad</code>", "<td>Message</td>")]
    [InlineData("typeof(string)", "System.String", "System.String</a>")]
    public async Task Objects_and_collections_are_trees_and_tables(string code, string text, params string[] html)
    {
        await _cells.Run("record Point(int X, int Y);\nclass Node { public string Name { get; set; } = \"n\"; public Node Child { get; set; } }");
        var data = await Bundle(code);
        Assert.Equal(["text/html", "text/plain"], data.Select(d => d.Key));
        Assert.StartsWith(text, data["text/plain"]!.GetValue<string>());
        var content = data["text/html"]!.GetValue<string>();
        Assert.All(html, h => Assert.Contains(h, content));
        Assert.DoesNotContain("Submission#", content + data["text/plain"]);
        // The style sheet that the classes of trees need comes with them, and is no text that a reader sees.
        Assert.Equal(content.Contains("class=\"dni-treeview\""), content.Contains("</details>") && content.Contains("<style>\n.dni-code-hint"));
    }

    [Fact]
    public async Task Tensors_pictures_charts_and_tables_come_in_each_form_that_they_have()
    {
        var bin = Path.Combine(Cells.Root, "lib", "bin");
        await _cells.Result($"""
            #r "{bin}/Vit.Interactive.dll"
            #r "{bin}/TorchSharp.dll"
            #r "{bin}/SkiaSharp.dll"
            #r "{bin}/Plotly.NET.dll"
            #r "{bin}/Plotly.NET.CSharp.dll"
            using Plotly.NET.CSharp;
            using Vit.Interactive;
            Formatters.Register();
            """);
        var tensor = await Bundle("TorchSharp.torch.ones(2, 3)");
        Assert.StartsWith("[2, 3] float32 cpu", Assert.Single(tensor).Value!.GetValue<string>());
        var picture = await Bundle("new SkiaSharp.SKBitmap(2, 1)");
        Assert.Equal("picture: 2 × 1 pixels", picture["text/plain"]!.GetValue<string>());
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], Convert.FromBase64String(picture["image/png"]!.GetValue<string>())[..4]);
        var table = await Bundle("new Table(\"a\") { 1 }");
        Assert.StartsWith("<table>", table["text/html"]!.GetValue<string>());
        Assert.Equal("a\n1", table["text/plain"]!.GetValue<string>());
        var chart = await Bundle("Chart.Point<int, int, string>(new[] { 1 }, new[] { 2 })");
        Assert.Equal("scatter", chart["application/vnd.plotly.v1+json"]!["data"]![0]!["type"]!.GetValue<string>());
        Assert.Contains("Plotly.newPlot", chart["text/html"]!.GetValue<string>());
        Assert.StartsWith("chart:", chart["text/plain"]!.GetValue<string>());
    }
}
