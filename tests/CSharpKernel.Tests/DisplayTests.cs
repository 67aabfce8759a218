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
    [InlineData("new[] { new { A = new List<int>() } }", "anonymous[]\n      - A: [  ]", "<th><i>index</i></th>", "<code>{ A = [  ] }</code>")]
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

    [Theory]
    [InlineData("var l = new List<object> { 1 }; l.Add(l);\nl", "List<Object>\n    - 1\n    - List<Object> (contains itself)")]
    [InlineData("class Own : IEnumerable<Own> { public IEnumerator<Own> GetEnumerator() { yield return this; } IEnumerator IEnumerable.GetEnumerator() => GetEnumerator(); }\nnew[] { new Own() }", "- (values): Own\n        - Own (contains itself)")]
    [InlineData("class Next : IEnumerable<Next> { public IEnumerator<Next> GetEnumerator() { yield return new Next(); } IEnumerator IEnumerable.GetEnumerator() => GetEnumerator(); }\nnew[] { new Next() }", "Next …")]
    [InlineData("record R(int V) { public R Next { get; set; } }\nvar a = new R(1); a.Next = new R(2) { Next = a };\na", "R\n      V: 1\n      Next: R\n        V: 2\n        Next: R (contains itself)")]
    [InlineData("record R(int V) { public R Next { get; set; } }\nR chain = null; for (var i = 0; i < 3000; i++) chain = new R(i) { Next = chain };\nchain", "Next: R …")]
    [InlineData("new Dictionary<string, object>() is var d && d.TryAdd(\"d\", d) ? d : null", "Dictionary<String,Object> (contains itself)")]
    public async Task What_contains_itself_or_lies_deep_comes_out_cut(string code, string text)
    {
        var data = await Bundle(code);
        Assert.Contains(text, data["text/plain"]!.GetValue<string>());
        Assert.InRange(data["text/html"]!.GetValue<string>().Length, 1, 10_000);
    }

    [Fact]
    public async Task A_formatter_without_an_end_is_the_cells_error_and_state_stays()
    {
        await _cells.Run("using Microsoft.DotNet.Interactive.Formatting;\nclass Loop { }\nFormatter.Register<Loop>((l, w) => w.Write(l.ToDisplayString(\"text/plain\")), \"text/plain\");\nvar kept = 1;");
        var error = await _cells.Error("new Loop()");
        Assert.Equal("The formatter of Loop for text/plain has called itself 100 times, and would not end.", error.Message);
        Assert.InRange(error.Traceback.Count, 1, 60);
        Assert.Equal("1", await _cells.Result("kept"));
    }

    [Fact]
    public async Task A_value_is_read_once()
    {
        var outputs = await _cells.Run("Enumerable.Range(0, 2).Select(i => { Console.WriteLine(i); return i; })");
        Assert.Equal("0\n1\n", Cells.Text(outputs, "stdout"));
        Assert.Equal("[ 0, 1 ]", Assert.IsType<Output.Result>(outputs[^1]).Data["text/plain"]!.GetValue<string>());
        await _cells.Run("class Counted { int _reads; public int Reads => ++_reads; }\nrecord Told { int _reads; public int Reads => ++_reads; }\nvar counted = new Counted();");
        foreach (var value in new[] { "counted", "new Told()", "new { Inner = new Counted() }" })
        {
            var data = await Bundle(value);
            Assert.Contains("Reads: 1", data["text/plain"]!.GetValue<string>());
            Assert.Contains("<td>Reads</td><td><div class=\"dni-plaintext\"><pre>1</pre>", data["text/html"]!.GetValue<string>());
        }

        Assert.Equal("2", await _cells.Result("counted.Reads"));
    }

    [Theory]
    [InlineData("new double[2, 3] { { 1, 2, 3 }, { 4, 5, 6 } }", "Double[2,3]\n    - [ 1, 2, 3 ]\n    - [ 4, 5, 6 ]")]
    [InlineData("new bool[1, 2, 1]", "Boolean[1,2,1]\n    - [0]\n      - [ False ]\n      - [ False ]")]
    [InlineData("new byte[30, 1]", "Byte[30,1]\n    - [ 0 ]\n", "(10 more)")]
    [InlineData("new float[0, 4]", "Single[0,4]")]
    [InlineData("new object[3, 0]", "Object[3,0]")]
    [InlineData("new { Empty = new int[0, 0] }", "", "Int32[0,0]")]
    [InlineData("Array.CreateInstance(typeof(int), new[] { 1, 2 }, new[] { 5, -1 })", "Int32[1,2]\n    - [ 0, 0 ]")]
    public async Task Arrays_of_several_dimensions_keep_name_and_shape(string code, string text, string rest = "")
    {
        var plain = (await Bundle(code))["text/plain"]!.GetValue<string>();
        Assert.StartsWith(text, plain);
        Assert.EndsWith(rest, plain);
    }

    [Theory]
    [InlineData("new Func<int, string>(i => \"\")", "Func<Int32,String>")]
    [InlineData("typeof(string).GetMethods().Take(1).ToArray()", "MethodInfo[]\n    - System.String ")]
    [InlineData("Enumerable.Repeat(new string('x', 5000), 30).Select(x => new { x })", "(4000 more characters)")]
    [InlineData("Enumerable.Range(0, 20).Select(i => Enumerable.Range(0, 20).Select(j => Enumerable.Range(0, 20).Select(k => new { k })))", "…")]
    [InlineData("class Bad { public int A => throw new InvalidOperationException(\"no A\"); public int B = 2; }\nnew Bad()", "A: System.InvalidOperationException: no A\n      B: 2")]
    public async Task Long_values_are_bounded_and_say_what_is_left_out(string code, string text)
    {
        var data = await Bundle(code);
        Assert.Contains(text, data["text/plain"]!.GetValue<string>());
        Assert.All(data, d => Assert.InRange(d.Value!.GetValue<string>().Length, 1, 400_000));
        Assert.DoesNotContain("   at ", data["text/plain"]!.GetValue<string>());
    }

    [Fact]
    public async Task Tensors_pictures_charts_and_tables_come_in_each_form_that_they_have()
    {
        var bin = Path.Combine(Cells.Root, "lib", "bin");
        await _cells.Result($"""
            #r "{bin}/Vit.Interactive.dll"
            #r "{bin}/TorchSharp.dll"
            #r "{bin}/Plotly.NET.dll"
            #r "{bin}/Plotly.NET.CSharp.dll"
            using Plotly.NET.CSharp;
            using Vit.Interactive;
            Formatters.Register();
            """);
        var tensor = await Bundle("TorchSharp.torch.ones(2, 3)");
        Assert.StartsWith("[2, 3] float32 cpu", Assert.Single(tensor).Value!.GetValue<string>());
        var variables = (await _cells.Run("var t = TorchSharp.torch.zeros(1, 197, 768);\n#!whos")).OfType<Output.Display>().Single().Data["text/plain"]!.GetValue<string>();
        Assert.EndsWith("t         Tensor  [1, 197, 768] float32 cpu", variables);
        Assert.Contains("  - [2] float32 cpu\n", (await Bundle("new[] { TorchSharp.torch.ones(2) }"))["text/plain"]!.GetValue<string>());
        var picture = await Bundle("new PngPicture(TorchSharp.torch.ones(1, 2))");
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
