using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

public sealed class ErrorTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    [Fact]
    public async Task A_compile_error_has_its_place_in_the_cell()
    {
        var error = await _cells.Error("#!csharp\nvar a = 1;\n#r \"System.Xml\"\n  undefined(a);\nint b = \"s\";");
        Assert.Equal("CompilationError", error.Name);
        Assert.Equal(4, error.Line);
        Assert.Equal(
            [
                "cell 1 (4,3): error CS0103: The name 'undefined' does not exist in the current context",
                "cell 1 (5,9): error CS0029: Cannot implicitly convert type 'string' to 'int'",
            ],
            error.Traceback);
    }

    [Fact]
    public async Task A_warning_goes_to_stderr_and_the_cell_runs()
    {
        var outputs = await _cells.Run("int F()\n{\n    int unused = 1;\n    return 2;\n}\nF()");
        Assert.Equal("cell 1 (3,9): warning CS0219: The variable 'unused' is assigned but its value is never used\n", Cells.Text(outputs, "stderr"));
        Assert.Equal("2", Assert.IsType<Output.Result>(outputs[^1]).Data["text/plain"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_exception_has_its_line_and_a_short_trace()
    {
        await _cells.Run("int Divide(int a, int b)\n{\n    return a / b;\n}\nclass Divider\n{\n    public int By(int b) => 1 / b;\n}");
        var error = await _cells.Error("var zero = 0;\n\nDivide(1, zero);\nzero = 1;");
        Assert.Equal("System.DivideByZeroException", error.Name);
        Assert.Equal(3, error.Line);
        Assert.Equal(
            ["System.DivideByZeroException: Attempted to divide by zero.", "   at Divide in cell 1, line 3", "   at cell 2, line 3"],
            error.Traceback);

        error = await _cells.Error("\nnew Divider().By(0)");
        Assert.Equal(["   at Divider.By in cell 1, line 7", "   at cell 3, line 2"], error.Traceback.Skip(1));
    }

    [Fact]
    public async Task Library_frames_are_named_and_machinery_is_not()
    {
        var error = await _cells.Error("int Parse(string s) => int.Parse(s);\nnew[] { \"x\" }.Select(Parse).ToList();");
        Assert.Contains(error.Traceback, l => l.StartsWith("   at System.Int32.Parse("));
        Assert.Equal("   at cell 1, line 2", error.Traceback[^1]);
        Assert.DoesNotContain(error.Traceback, l => l.Contains("CSharpKernel") || l.Contains("Submission") || l.Contains("MoveNext") || l.Contains("Initialize"));
    }

    [Fact]
    public async Task Async_functions_and_lambdas_are_named()
    {
        var error = await _cells.Error("async Task F()\n{\n    await Task.Yield();\n    throw new Exception(\"one\\ntwo\");\n}\nFunc<Task> g = async () => await F();\nawait g();");
        Assert.Equal(4, error.Line);
        Assert.Equal(
            ["System.Exception: one", "two", "   at F in cell 1, line 4", "   at a lambda in cell 1, line 6", "   at cell 1, line 7"],
            error.Traceback);
    }

    [Fact]
    public async Task Inner_exceptions_are_told_and_wrappers_left_out()
    {
        var error = await _cells.Error("try { throw new ArgumentException(\"inner\"); }\ncatch (Exception e) { throw new InvalidOperationException(\"outer\", e); }");
        Assert.Equal("System.InvalidOperationException", error.Name);
        Assert.Equal(2, error.Line);
        Assert.Contains(" ---> System.ArgumentException: inner", error.Traceback);
        Assert.Equal("System.FormatException", (await _cells.Error("Task.Run(() => int.Parse(\"x\")).Wait();")).Name);
    }

    [Fact]
    public async Task A_cells_own_exception_has_the_name_that_the_cell_gave_it()
    {
        var error = await _cells.Error("class Mine(string m, Exception? e = null) : Exception(m, e);\nthrow new Mine(\"outer\", new Mine(\"inner\"));");
        Assert.Equal("Mine", error.Name);
        Assert.Equal("Mine: outer", error.Traceback[0]);
        Assert.Contains(" ---> Mine: inner", error.Traceback);
    }

    [Fact]
    public async Task An_exception_that_cannot_give_its_message_is_an_error_all_the_same()
    {
        var error = await _cells.Error("class Mute : Exception { public override string Message => throw new NotSupportedException(); }\nthrow new Mute();");
        Assert.Equal("its message cannot be read (NotSupportedException)", error.Message);
        Assert.Equal($"{error.Name}: {error.Message}", error.Traceback[0]);
        Assert.Equal("   at cell 1, line 2", error.Traceback[^1]);
    }

    [Theory]
    [InlineData("started(); while (true) { }")]
    [InlineData("started(); System.Threading.Thread.Sleep(-1);")]
    [InlineData("started(); await Task.Delay(-1);")]
    public async Task An_interrupt_ends_loops_sleeps_and_awaits_and_keeps_state(string code)
    {
        await _cells.Run("var kept = 5;");
        using var interrupt = new CancellationTokenSource();
        await _cells.Run("void started() => ((Action)AppDomain.CurrentDomain.GetData(\"interrupt\"))();");
        AppDomain.CurrentDomain.SetData("interrupt", () => interrupt.CancelAfter(1));
        var error = await _cells.Interrupted(code, interrupt.Token);
        Assert.Equal("The cell was interrupted.", error.Message);
        Assert.Equal("6", await _cells.Result("kept + 1"));
    }

    [Theory]
    [InlineData("for (var i = 0; i < 3; i++) missing();", "(1,29)")]
    [InlineData("while (true) { foreach (var c in \"ab\") { missing(); } }", "(1,42)")]
    [InlineData("do\n  if (true) { }\n  else missing();\nwhile (false);", "(3,8)")]
    [InlineData("foreach (var (a, b) in new[] { (1, 2) }) { }\nmissing();", "(2,1)")]
    public async Task Errors_in_and_behind_loops_are_where_they_were_written(string code, string place) =>
        Assert.Contains($"{place}: error CS0103", (await _cells.Error(code)).Message);

    [Fact]
    public async Task Loops_of_all_kinds_run_as_written()
    {
        Assert.Equal("0112301", await _cells.Result("""
            var s = "";
            for (var i = 0; i < 2; i++) s += i; // a comment
            var n = 1; while (n < 2) { s += n++; }
            do s += n++; while (n < 4);
            foreach (var x in new[] { 0, 1 }) foreach (var y in new[] { x }) if (x == y) s += y; else break;
            s
            """));
        Assert.Equal("3", await _cells.Result("static int Count(IEnumerable<int> xs) { var n = 0; foreach (var _ in xs) n++; return n; }\nIEnumerable<int> Three() { for (var i = 0; ; i++) { if (i == 3) yield break; yield return i; } }\nCount(Three())"));
    }
}
