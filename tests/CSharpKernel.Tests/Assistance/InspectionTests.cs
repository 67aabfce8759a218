namespace CSharpKernel.Tests.Assistance;

public sealed class InspectionTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    [Fact]
    public async Task A_variable_has_its_newest_type()
    {
        await _cells.Run("var x = 1;");
        await _cells.Run("var x = new List<(string Name, int Count)>();");
        Assert.Equal("```csharp\nList<(string Name, int Count)> x\n```", await _cells.Inspect("x.Clear();\n|x.Add((\"\", 1));"));
        Assert.Equal("```csharp\nList<(string Name, int Count)> x\n```", await _cells.Inspect("x|"));
        Assert.Equal("```csharp\nint y\n```", await _cells.Inspect("{ var |y = x.Count; }"));
    }

    [Fact]
    public async Task The_documentation_of_a_cell_is_shown()
    {
        await _cells.Run("""
            /// <summary>Cuts <c>text</c> short,
            /// see <see cref="string.Substring(int)"/>.<para>Twice.</para></summary>
            /// <param name="text">What is <paramref name="length"/> long.</param>
            /// <returns><see langword="null"/> or less.</returns>
            /// <exception cref="ArgumentException">Never.</exception>
            /// <remarks><list type="bullet"><item>a</item><item>b</item></list></remarks>
            static string Cut<T>(this string text, int length = 3) where T : class => text[..length];
            """);
        var brief = await _cells.Inspect("Cut|<object>(\"\")");
        Assert.Equal(
            """
            ```csharp
            static string Cut<object>(string text, int length = 3)
            ```

            Cuts `text` short, see `String.Substring`.

            Twice.

            **Parameters**

            - `text`: What is `length` long.

            **Returns**: null or less.
            """,
            brief);
        var full = await _cells.Inspect("Cut|<object>(\"\")", detail: 1);
        Assert.Equal(brief + "\n\n**Exceptions**\n\n- `ArgumentException`: Never.\n\n**Remarks**: - a\n- b", full);
    }

    [Fact]
    public async Task The_framework_is_documented_where_the_sdk_is()
    {
        var text = await _cells.Inspect("\"abc\".Substr|ing(1)");
        Assert.StartsWith("```csharp\nstring string.Substring(int startIndex)\n```", text);
        if (!Directory.Exists(Path.Combine(Path.GetDirectoryName(DotNet.Host)!, "packs", "Microsoft.NETCore.App.Ref")))
        {
            Assert.Skip("The SDK's reference pack, which holds the documentation, is not installed.");
        }

        Assert.Contains("Retrieves a substring from this instance.", text);
        await _cells.Run("/// <inheritdoc cref=\"string.Substring(int)\"/>\nvoid AsThere() { }");
        Assert.Contains("Retrieves a substring", await _cells.Inspect("AsThere|()"));
        Assert.Contains("Adds an object to the end", await _cells.Inspect("new List<int>().Ad|d(1)"));
        Assert.Contains("Filters a sequence", await _cells.Inspect("new List<int>().Wher|e(x => true)"));
    }

    [Fact]
    public async Task Between_parentheses_all_overloads_are_shown_the_fitting_one_first()
    {
        await _cells.Run("int F(int a) => 1;\nint F(int a, string b) => 2;\nclass C(int size) { public C() : this(1) { } public int this[int i, int j] => i; }\nFunc<int, string> g = null;");
        Assert.Equal("```csharp\nint F(int a)\n```\n\n```csharp\nint F(int a, string b)\n```", await _cells.Inspect("F(|"));
        Assert.StartsWith("```csharp\nint F(int a, string b)\n```", await _cells.Inspect("F(1, |)"));
        Assert.StartsWith("```csharp\nint F(int a, string b)\n```", await _cells.Inspect("F(1, | \nvar later = 1;"));
        Assert.Equal("```csharp\nnew C()\n```\n\n```csharp\nnew C(int size)\n```", await _cells.Inspect("new C(|)"));
        Assert.Contains("this[int i, int j]", await _cells.Inspect("new C()[|]"));
        Assert.Contains("Invoke(int arg)", await _cells.Inspect("g(|)"));
        Assert.Contains("int F(int a)", await _cells.Inspect("F(F(|1))"));
        Assert.DoesNotContain("IEnumerable<TResult>", await _cells.Inspect("string.Join(|"));
        Assert.Null(await _cells.Inspect("F(1) |"));
        Assert.Null(await _cells.Inspect("|"));
    }

    [Fact]
    public async Task Our_libraries_are_documented()
    {
        var bin = Path.Combine(Cells.Root, "lib", "bin");
        await _cells.Result($"#r \"{bin}/Vit.dll\"\n#r \"{bin}/TorchSharp.dll\"\n#r \"{bin}/SixLabors.ImageSharp.dll\"\nusing SixLabors.ImageSharp;\nusing TorchSharp;\nusing Vit.Models;");
        var text = await _cells.Inspect("new VisionTransformer(|");
        Assert.StartsWith("```csharp\nnew VisionTransformer(VisionTransformerConfig config)\n```", text);
        Assert.Contains("Creates the model", text);
        Assert.Contains("Vision Transformer (arXiv:2010.11929", await _cells.Inspect("VisionTransformer| model = null;"));
        // TorchSharp comes without documentation: its signatures are all there is.
        Assert.Contains("Linear nn.Linear(long inputSize, long outputSize, bool hasBias = true", await _cells.Inspect("torch.nn.Linear(|"));
        Assert.Contains("Initializes", await _cells.Inspect("new Size(|"));
    }

    [Fact]
    public async Task Inherited_documentation_is_followed()
    {
        await _cells.Run("""
            interface I
            {
                /// <summary>Of the interface.</summary>
                void M();
            }
            class A : I
            {
                /// <inheritdoc/>
                public virtual void M() { }
            }
            class B : A
            {
                /// <inheritdoc/>
                public override void M() { }
            }
            /// <inheritdoc/>
            class Circle : Circle { }
            """.Replace("class Circle : Circle", "class Last : B"));
        Assert.Contains("Of the interface.", await _cells.Inspect("new A().M|()"));
        Assert.Contains("Of the interface.", await _cells.Inspect("new B().M|()"));
        Assert.Equal("```csharp\nclass Last\n```", await _cells.Inspect("new Last|()"));
    }

    [Theory]
    [InlineData("<summary>open")]
    [InlineData("<inheritdoc cref=\"Nothing\"/>")]
    [InlineData("")]
    public async Task Documentation_that_cannot_be_read_is_left_out(string documentation)
    {
        await _cells.Run($"/// {documentation}\nvoid F() {{ }}");
        Assert.Equal("```csharp\nvoid F()\n```", await _cells.Inspect("F|()"));
    }

    [Theory]
    [InlineData("<member name=\"T:Vit.Models.Pooling\">\n  <summary>\n  Mine.\n  </summary>\n</member>", "\n\nMine.")]
    [InlineData("<member name=\"T:Vit.Models.Pooling\"><summary>Cut", "")]
    [InlineData("<member name=\"T:Vit.Models.Pooling\"><summary>Crossed</member></summary>", "")]
    [InlineData("<member name=\"T:Vit.Models.Pooling\" /><member name=\"T:Other\"><summary>Not it.</summary></member>", "")]
    [InlineData("", "")]
    public async Task An_assemblys_documentation_is_the_file_beside_it(string file, string documentation)
    {
        File.Copy(Path.Combine(Cells.Root, "lib", "bin", "Vit.dll"), Path.Combine(_cells.Folder, "Vit.dll"));
        _cells.Write("Vit.xml", file);
        Assert.Equal("```csharp\nenum Pooling\n```" + documentation, await _cells.Inspect("#r \"Vit.dll\"\nVit.Models.Pooling|"));
    }

    [Fact]
    public async Task Warming_up_asks_nothing_that_a_cell_sees()
    {
        await _cells.Assistant.WarmUp(TestContext.Current.CancellationToken);
        Assert.Null(await _cells.Result("var a = 1;"));
        Assert.Equal("```csharp\nint a\n```", await _cells.Inspect("a|"));
    }
}
