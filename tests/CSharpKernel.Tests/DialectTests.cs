using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

public sealed class DialectTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    [Fact]
    public async Task A_trailing_expression_is_the_result()
    {
        Assert.Equal("3", await _cells.Result("var a = 1;\na + 2"));
        Assert.Null(await _cells.Result("a + 2;".Replace("a + 2", "a = 2")));
        Assert.Null(await _cells.Result("Console.Write(\"\")"));
        Assert.Equal("<null>", await _cells.Result("(string)null"));
    }

    [Theory]
    [InlineData("return 17;", "17")]
    [InlineData("if (DateTime.Now.Year > 1) return \"early\";\nConsole.Write(1);", "early")]
    [InlineData("foreach (var i in new[] { 1, 2 }) { if (i == 2) return i; }", "2")]
    [InlineData("return (string)null;", "<null>")]
    [InlineData("if (DateTime.Now.Year < 1) return 1;", null)]
    [InlineData("return;", null)]
    [InlineData("int F() { return 3; }\nF();", null)]
    public async Task What_is_returned_is_the_result(string code, string? result) => Assert.Equal(result, await _cells.Result(code));

    [Fact]
    public async Task Files_are_loaded_before_the_code_that_names_them()
    {
        _cells.Write("helper.csx", "#load \"inner/b.csx\"\nstatic int FromHelper() => FromB() + 1;");
        _cells.Write(Path.Combine("inner", "b.csx"), "static int FromB() { for (var i = 0; ; i++) { if (i == 3) return i; } }");
        Assert.Null(await _cells.Result("#load \"helper.csx\""));
        Assert.Equal("4", await _cells.Result("FromHelper()"));
        _cells.Write("text", "static int FromText() => 5;");
        Assert.Equal("5", await _cells.Result("// first\n#load \"text\"\nFromText()"));
        Assert.Equal("#load \"none\"", await _cells.Result("\"\"\"\n#load \"none\"\n\"\"\""));
        Assert.Equal("1", await _cells.Result("#if NEVER\n#load \"none\"\n#endif\n1"));
    }

    [Theory]
    [InlineData("#load \"f.csx\"")]
    [InlineData("#!import f.csx")]
    [InlineData("#load \"around.csx\"")]
    [InlineData("#!import around.csx")]
    public async Task An_error_in_a_file_names_the_file_and_its_line(string directive)
    {
        _cells.Write("around.csx", "#load \"f.csx\"");
        foreach (var (text, told) in new[]
        {
            ("\n\nint x = \"s\";", "f.csx (3,9): error CS0029"),
            ("\n#r \"none.dll\"", "f.csx (line 2): #r \"none.dll\""),
            ("\n#i \"none\"", "f.csx (line 2): #i \"none\""),
            ("#load \"none.csx\"", "f.csx (line 1): #load none.csx"),
            ("\n\n\nthrow new Exception();", "   at f.csx, line 4"),
        })
        {
            _cells.Write("f.csx", text);
            var error = await _cells.Error("var a = 1;\n" + directive);
            Assert.Contains(error.Traceback, l => l.StartsWith(told, StringComparison.Ordinal));
            Assert.Null(error.Line);
        }
    }

    [Fact]
    public async Task Notebooks_of_Polyglot_Notebooks_are_imported()
    {
        _cells.Write("n.dib", "#!meta\n\n{\"kernelInfo\":{\"defaultKernelName\":\"csharp\"}}\n\n#!markdown\n\n# Title\n\n#!csharp\n\n#!time\nvar fromDib = 5;\n\n#!html\n\n<b>x</b>\n");
        var outputs = await _cells.Run("#!import n.dib\nfromDib");
        Assert.Equal(["<b>x</b>"], outputs.OfType<Output.Display>().Select(d => d.Data["text/html"]!.GetValue<string>()));
        Assert.Equal("5", Assert.IsType<Output.Result>(outputs[^1]).Data["text/plain"]!.GetValue<string>());
    }

    [Fact]
    public async Task Variables_are_told_with_type_and_value_and_no_code_of_theirs_runs()
    {
        await _cells.Run("""
            class Endless : IEnumerable<int> { public IEnumerator<int> GetEnumerator() { while (true) yield return 1; } IEnumerator IEnumerable.GetEnumerator() => GetEnumerator(); public int P { get { while (true) { } } } public override string ToString() { while (true) { } } }
            var (x, s) = (1.5, "a\nb"); var endless = new Endless(); var list = new List<int> { 1, 2 }; var array = new double[2, 3]; Endless none = null; const int constant = 3;
            """);
        Assert.Equal("array, endless, list, none, s, x", await Shown("#!who"));
        foreach (var line in new[] { "Variable  Type         Value", "array     Double[,]    Double[2, 3]", "endless   Endless      Endless", "list      List<Int32>  List<Int32> (2)", "none      Endless      <null>", "s         String       a b", "x         Double       1.5" })
        {
            Assert.Contains(line, await Shown("#!whos"));
        }

        await _cells.Run("using Microsoft.DotNet.Interactive.Formatting;\nFormatter.Register<Endless>((e, w) => w.Write(\"[1] float32 cpu\"), \"text/plain+summary\");");
        Assert.Contains("endless   Endless      [1] float32 cpu", await Shown("#!whos"));

        async Task<string> Shown(string code) => Assert.IsType<Output.Display>(Assert.Single(await _cells.Run(code))).Data["text/plain"]!.GetValue<string>();
    }

    [Theory]
    [InlineData("", "False")]
    [InlineData("object Function() => big;", "True")]
    [InlineData("Func<object> lambda = () => big;", "True")]
    [InlineData("class Other { public string Name => nameof(big); }", "True")]
    [InlineData("var query = from i in Enumerable.Range(0, 1) select big;", "True")]
    public async Task A_value_that_no_cell_can_reach_any_more_is_freed(string other, string alive)
    {
        await _cells.Result("var big = new object(); var weak = new WeakReference(big); var (left, right) = (new object(), 1);");
        await _cells.Result(other);
        await _cells.Result("var big = 1;");
        Assert.Equal(alive, await _cells.Result("GC.Collect(); weak.IsAlive"));
    }

    [Theory]
    [InlineData("new StringBuilder(\"x\").ToString()")]
    [InlineData("new ArrayList { \"x\" }[0]")]
    [InlineData("new List<string> { \"x\" }.Single()")]
    [InlineData("Task.FromResult(\"x\").Result")]
    [InlineData("string.Concat(\"x\".Take(1))")]
    public async Task Usings_are_implicit(string code) => Assert.Equal("x", await _cells.Result(code));

    [Fact]
    public async Task Await_stands_at_top_level()
    {
        Assert.Equal("4", await _cells.Result("async Task<int> Later() { await Task.Delay(1); return 3; }\nvar b = await Later();\nb + 1"));
        Assert.Equal("3", await _cells.Result("b"));
    }

    [Fact]
    public async Task Records_generics_partial_classes_and_extension_methods_work_across_cells()
    {
        await _cells.Result("record Point(int X, int Y);");
        await _cells.Result("partial class Pair<T> { public T A; } partial class Pair<T> { public T B; }");
        await _cells.Result("static int Twice(this int x) => 2 * x;");
        Assert.Equal("Point { X = 1, Y = 4 }", await _cells.Result("(new Point(1, 2) with { Y = 2.Twice() }).ToString()"));
        Assert.Equal("7", await _cells.Result("var p = new Pair<int> { A = 3, B = 4 };\np.A + p.B"));
    }

    [Fact]
    public async Task Variables_and_types_are_redeclared()
    {
        await _cells.Result("var x = 1; class C { public override string ToString() => \"old\"; }");
        await _cells.Result("var x = \"s\"; class C { public override string ToString() => \"new\"; }");
        Assert.Equal("s new", await _cells.Result("$\"{x} {new C()}\""));
    }

    [Fact]
    public async Task Usings_of_a_cell_stay()
    {
        Assert.Null(await _cells.Result("using System.IO;"));
        Assert.Equal("b.txt", await _cells.Result("Path.GetFileName(\"a/b.txt\")"));
        await _cells.Result("using static System.Math;\nusing Text = System.String;");
        Assert.Equal("2True", await _cells.Result("Text.Concat(Max(1, 2), Text.IsNullOrEmpty(\"\"))"));
    }

    [Fact]
    public async Task State_outlives_a_cell_that_fails()
    {
        await _cells.Error("var before = 1; throw new Exception(); var after = 2;");
        Assert.Equal("1 0", await _cells.Result("$\"{before} {after}\""));
        await _cells.Error("var broken = ;");
        Assert.Equal("1", await _cells.Result("before"));
    }

    [Fact]
    public async Task Five_hundred_cells_see_one_another()
    {
        await _cells.Result("var sum = 0;");
        for (var i = 1; i <= 500; i++)
        {
            await _cells.Result($"var v{i} = {i}; sum += v{i};");
        }

        Assert.Equal("125250 1 500", await _cells.Result("$\"{sum} {v1} {v500}\""));
    }

    [Fact]
    public async Task Markdown_and_html_are_shown()
    {
        var outputs = await _cells.Run("#!markdown\n# Title\n#!html\n<b>x</b>\n#!csharp\n1 + 1");
        Assert.Collection(outputs,
            o => Assert.Equal("# Title", Assert.IsType<Output.Display>(o).Data["text/markdown"]!.GetValue<string>()),
            o => Assert.Equal("<b>x</b>", Assert.IsType<Output.Display>(o).Data["text/html"]!.GetValue<string>()),
            o => Assert.Equal("2", Assert.IsType<Output.Result>(o).Data["text/plain"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Time_is_told()
    {
        var outputs = await _cells.Run("#!time\n1 + 1");
        Assert.IsType<Output.Result>(outputs[0]);
        Assert.Matches("^Wall time: [0-9]+ ms$", Assert.IsType<Output.Display>(outputs[1]).Data["text/plain"]!.GetValue<string>());
    }

    [Fact]
    public async Task Files_are_imported_relative_to_the_one_that_imports()
    {
        _cells.Write("a.cs", "#!import inner/b.csx\nstatic int FromA() => FromB() + 1;");
        _cells.Write(Path.Combine("inner", "b.csx"), "static int FromB() => 1;");
        var notebook = """
            {"cells": [
              {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [], "source": ["var fromNotebook = 40;"]},
              {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "not code"},
              {"cell_type": "code", "id": "c", "metadata": {}, "execution_count": null, "outputs": [], "source": ["fromNotebook += 1;"]}],
             "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            """;
        _cells.Write("n.ipynb", notebook);
        Assert.Equal("43", await _cells.Result("#!import a.cs\n#!import \"n.ipynb\"\nfromNotebook + FromA()"));
    }

    [Theory]
    [InlineData("#!import none.cs", "#!import none.cs: there is no such file")]
    [InlineData("#!import", "#!import takes the path")]
    [InlineData("#!import self.cs", "the file imports itself")]
    [InlineData("#!import text.txt", "none of .cs, .csx, .ipynb and .dib")]
    [InlineData("#!fsharp\nlet x = 1", "#!fsharp: this kernel runs C#")]
    [InlineData("#!pwsh\nls", "#!pwsh: this kernel runs C#")]
    [InlineData("#!frobnicate", "#!frobnicate: there is no such directive")]
    [InlineData("#!markdown now", "'now'")]
    public async Task What_a_directive_cannot_do_is_told(string code, string message)
    {
        _cells.Write("self.cs", "#!import self.cs");
        _cells.Write("text.txt", "");
        var error = await _cells.Error("1.ToString();\n" + code);
        Assert.Contains(message, error.Message);
        Assert.Equal(message.Contains("itself") ? null : 2, error.Line);
    }

    [Fact]
    public async Task An_imported_files_errors_name_it()
    {
        _cells.Write("bad.cs", "\n\nint x = \"s\";");
        Assert.Contains("bad.cs (3,9): error CS0029", (await _cells.Error("#!import bad.cs")).Message);
        _cells.Write("throws.cs", "\nvoid Throw() => throw new Exception();");
        var error = await _cells.Error("#!import throws.cs\n\nThrow();");
        Assert.Equal(3, error.Line);
        Assert.Equal(["   at Throw in throws.cs, line 2", "   at cell 2, line 3"], error.Traceback.Skip(1));
    }
}
