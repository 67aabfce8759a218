using CSharpKernel.Assistance;
using CSharpKernel.Headless;
using CSharpKernel.Outputs;

namespace CSharpKernel.Tests.Assistance;

public sealed class CompletionTests : IDisposable
{
    const string Vit = """
        #r "{0}/Vit.dll"
        #r "{0}/TorchSharp.dll"
        using TorchSharp;
        using TorchSharp.Modules;
        using Vit.Models;
        using static TorchSharp.torch;
        """;

    readonly Cells _cells = new();

    static string References => string.Format(Vit, Path.Combine(Cells.Root, "lib", "bin"));

    public void Dispose() => _cells.Dispose();

    static Completion Find(Completions completions, string text) => Assert.Single(completions.Matches, m => m.Text == text);

    async Task<IEnumerable<string>> Texts(string code) => (await _cells.Complete(code)).Matches.Select(m => m.Text);

    [Fact]
    public async Task Members_have_their_kind_and_signature()
    {
        var completions = await _cells.Complete("var s = \"abc\";\ns.Sub|");
        Assert.Equal((17, 20), (completions.Start, completions.End));
        Assert.Equal(new("Substring", "method", "string Substring(int startIndex) (+ 1)"), Assert.Single(completions.Matches));
        Assert.Equal(new("Length", "property", "int Length"), Find(await _cells.Complete("\"abc\".|"), "Length"));
        Assert.Equal("method", Find(await _cells.Complete("\"abc\".|"), "Where").Kind);
        Assert.Equal("class", Find(await _cells.Complete("new StringB|"), "StringBuilder").Kind);
        Assert.Equal("keyword", Find(await _cells.Complete("forea|"), "foreach").Kind);
        Assert.Equal("enum member", Find(await _cells.Complete("DayOfWeek.M|"), "Monday").Kind);
        Assert.Equal("module", Find(await _cells.Complete("System.Collections.G|"), "Generic").Kind);
        Assert.Equal("variable", Find(await _cells.Complete("{ int counter = 1; coun| }"), "counter").Kind);
    }

    [Fact]
    public async Task What_was_typed_is_replaced_up_to_the_cursor()
    {
        var completions = await _cells.Complete("var a = 1;\nvar b = Math.A| + a;\nvar c = b;");
        Assert.Equal((24, 25), (completions.Start, completions.End));
        Assert.Contains(completions.Matches, m => m.Text == "Abs");
        Assert.DoesNotContain(completions.Matches, m => m.Text == "Max");
        completions = await _cells.Complete("Math.Ab|s(1)");
        Assert.Equal((5, 7), (completions.Start, completions.End));
    }

    [Fact]
    public async Task Earlier_cells_are_seen_with_what_they_declare()
    {
        await _cells.Run("using System.IO;\nusing Text = System.String;\nvar numbers = new List<int>();\nconst int Limit = 3;\n(string Name, int Count) pair = (\"a\", 1);");
        await _cells.Run("static int Twice(this int x) => 2 * x;\nint Half(int x) { return x / 2; }\nint Half(double x) => (int)x / 2;\nrecord Point(int X, int Y) { public int Sum => X + Y; }");
        await _cells.Run("var points = numbers.Select(n => new Point(n, n)).ToArray();\nif (int.TryParse(\"1\", out var parsed)) { }\nvar (left, right) = (1, \"r\");");
        Assert.Contains("AddRange", await Texts("numbers.Ad|"));
        Assert.Contains("GetFileName", await Texts("Path.|"));
        Assert.Contains("Concat", await Texts("Text.|"));
        Assert.Contains("Count", await Texts("pair.|"));
        Assert.Contains("Twice", await Texts("Limit.|"));
        Assert.Equal("int Half(int x) (+ 1)", Find(await _cells.Complete("Hal|"), "Half").Signature);
        Assert.Contains("Sum", await Texts("points[0].|"));
        Assert.Contains("Point", await Texts("new Poi|"));
        Assert.Contains("CompareTo", await Texts("parsed.|"));
        Assert.Contains("Substring", await Texts("right.|"));
        Assert.Equal(["left"], (await Texts("lef|")).Where(t => t == "left"));
    }

    [Fact]
    public async Task A_redeclared_name_has_its_newest_meaning()
    {
        await _cells.Run("var x = 1; int F(int a) => a; class C { public int Old; }");
        await _cells.Run("var ofOld = new C(); var manyOld = new List<C>(); const int F = 1;");
        await _cells.Run("var x = \"s\"; class C { public int New; }\nstring F(int a) => \"s\";");
        await _cells.Run("var ofNew = new C();");
        Assert.Contains("Substring", await Texts("x.|"));
        Assert.Equal("string F(int a)", Find(await _cells.Complete("F|"), "F").Signature);
        Assert.Contains("New", await Texts("new C().|"));
        Assert.Contains("New", await Texts("ofNew.|"));
        Assert.DoesNotContain("Old", await Texts("ofNew.|"));
        Assert.Contains("Old", await Texts("ofOld.|"));
        Assert.Contains("Old", await Texts("manyOld[0].|"));
        // The cell that is written hides what the earlier ones have, too.
        Assert.Contains("TotalDays", await Texts("var x = TimeSpan.Zero;\nx.|"));
    }

    [Fact]
    public async Task Types_without_a_name_keep_their_members()
    {
        await _cells.Run("var one = new { Name = \"a\", Inner = new { Size = 1.5 } };\nvar many = new[] { 1 }.Select(n => new { N = n, One = one }).ToList();\nvar pairs = many.ToDictionary(m => m.N, m => new[] { m });");
        Assert.Contains("Inner", await Texts("one.|"));
        Assert.Contains("CompareTo", await Texts("one.Inner.Size.|"));
        Assert.Contains("One", await Texts("many[0].|"));
        Assert.Contains("Name", await Texts("pairs[1][0].One.|"));
        Assert.Contains("N", await Texts("many.Where(m => m.|)"));
        Assert.DoesNotContain(await Texts("_|"), t => t.StartsWith("__"));
    }

    [Fact]
    public async Task A_cell_that_fails_leaves_what_it_has_declared()
    {
        await _cells.Error("var kept = new StringBuilder();\nthrow new Exception();");
        await _cells.Error("var kept = 1; undefined();");
        Assert.Contains("AppendLine", await Texts("kept.|"));
        Assert.Contains("AppendLine", await Texts("kept.Append(\"(\").|"));
    }

    [Fact]
    public async Task Libraries_are_known_once_referenced_and_in_the_cell_that_references_them()
    {
        Assert.Contains("VisionTransformer", await Texts(References + "\nnew Vis|"));
        await _cells.Result(References + "\nvar config = VisionTransformerConfig.Ti16;\nvar random = rand(1, 3);");
        Assert.Contains("PatchSize", await Texts("config.Pa|"));
        Assert.Equal("method", Find(await _cells.Complete("random.matm|"), "matmul").Kind);
        Assert.Contains("Linear", await Texts("nn.Lin|"));
        Assert.Contains(await Texts("class Head : nn.Module<Tensor, Tensor>\n{\n    public override |\n}"), t => t.StartsWith("Tensor forward(Tensor"));
    }

    [Theory]
    [InlineData("// Con|")]
    [InlineData("\"Con|\"")]
    [InlineData("#!markdown\nCon|")]
    [InlineData("#!html\nCon|\n#!csharp\n1")]
    public async Task Text_is_not_completed(string code) => Assert.Empty((await _cells.Complete(code)).Matches);

    [Fact]
    public async Task Parts_in_other_languages_do_not_disturb()
    {
        Assert.Contains("WriteLine", await Texts("#!time\n#!markdown\n# It's {\n#!csharp\n#r \"nuget: None\"\nConsole.Write|"));
    }

    [Fact]
    public async Task A_running_cell_does_not_keep_it_waiting()
    {
        await _cells.Run("var before = \"s\";");
        using var interrupt = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        AppDomain.CurrentDomain.SetData("started", (Action)started.SetResult);
        var running = Task.Run(() => _cells.Interrupted("((Action)AppDomain.CurrentDomain.GetData(\"started\"))(); while (true) { }", interrupt.Token), TestContext.Current.CancellationToken);
        await started.Task;
        Assert.Contains("Substring", await Texts("before.|"));
        interrupt.Cancel();
        await running;
    }

    [Fact]
    public async Task Nothing_of_it_is_loaded_before_it_is_asked()
    {
        using var process = KernelProcess.Start(_cells.Folder);
        var outputs = new List<Output>();
        await process.Execute("string.Join(\" \", AppDomain.CurrentDomain.GetAssemblies().Select(a => a.GetName().Name).Order())", "cell 1", outputs.Add, cancellation: TestContext.Current.CancellationToken);
        var loaded = Assert.IsType<Output.Result>(Assert.Single(outputs)).Data["text/plain"]!.GetValue<string>();
        Assert.Contains("Microsoft.CodeAnalysis.CSharp", loaded);
        Assert.DoesNotContain("Workspaces", loaded);
        Assert.DoesNotContain("Features", loaded);
        Assert.DoesNotContain("System.Composition", loaded);
    }

    [Fact]
    public async Task No_place_in_a_cell_is_wrong_to_ask_at()
    {
        await _cells.Result("var list = new List<int>(); var unnamed = new { A = 1 };");
        string[] cells =
        [
            "#!time\n#r \"nuget: Pack, 1.0\"\nvar f = (int a) => list[a] +;\nunnamed?.A.ToS(1, ) 🙂é\r\n#!html\n<b>",
            "class C<T> : List<T> where T : new() { override \n int this[int i] => base[i",
            "foreach (var (x, y) in new[] { (1, \"a\") }) { Console.WriteLine($\"{x,3:f2} {y[..1]}\"",
            "[Obsolete(\"no\")] void F(int a = 1) { a switch { > 1 => new() { }, _ => throw",
            "from x in list where x is { } let y = x orderby y select new { x",
        ];
        var places = Gen.Select(Gen.Int[0, cells.Length - 1], Gen.Int[0, 120], Gen.Int[-1, 120], (cell, length, cursor) => (Code: cells[cell][..Math.Min(length, cells[cell].Length)], Cursor: cursor));
        await places.SampleAsync(async place =>
        {
            var completions = await _cells.Assistant.Complete(place.Code, place.Cursor, TestContext.Current.CancellationToken);
            Assert.InRange(completions.Start, 0, completions.End);
            Assert.InRange(completions.End, completions.Start, place.Code.Length);
            Assert.DoesNotContain(completions.Matches, m => m.Text.Length == 0);
            var data = await _cells.Assistant.Inspect(place.Code, place.Cursor, place.Cursor % 2, TestContext.Current.CancellationToken);
            Assert.True(data is null || data["text/plain"]!.GetValue<string>().Length > 0);
            CodeAssistant.IsComplete(place.Code);
        }, iter: 100, threads: 1);
    }
}
