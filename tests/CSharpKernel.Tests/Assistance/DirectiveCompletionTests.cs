using CSharpKernel.Outputs;

namespace CSharpKernel.Tests.Assistance;

public sealed class DirectiveCompletionTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    async Task<string[]> Texts(string code) => [.. (await _cells.Complete(code)).Matches.Select(m => m.Text)];

    [Fact]
    public async Task Their_names_are_completed_at_the_start_of_a_line()
    {
        Assert.Equal(["#!csharp", "#!html", "#!import", "#!markdown", "#!time", "#!who", "#!whos"], await Texts("#!|"));
        var completions = await _cells.Complete("var a = 1;\n#!ma|\na");
        Assert.Equal(("#!markdown", 11, 15), (Assert.Single(completions.Matches).Text, completions.Start, completions.End));
        Assert.Empty(await Texts("#!nothing|"));
    }

    [Fact]
    public async Task Each_name_is_a_directive()
    {
        foreach (var name in await Texts("#!|"))
        {
            Assert.Empty((await _cells.Run(name == "#!import" ? "#!csharp" : name)).OfType<Output.Error>());
        }
    }

    [Fact]
    public async Task Imports_name_files_that_can_be_imported()
    {
        _cells.Write("a.cs", "");
        _cells.Write("B.ipynb", "");
        _cells.Write("c.txt", "");
        _cells.Write(Path.Combine("inner", "d.csx"), "");
        Assert.Equal(["../", "inner/", "a.cs", "B.ipynb"], await Texts("#!import |"));
        Assert.Equal(["B.ipynb"], await Texts("#!import \"b|"));
        var completions = await _cells.Complete("#!import inner/d|");
        Assert.Equal(("d.csx", 15, 16), (Assert.Single(completions.Matches).Text, completions.Start, completions.End));
        Assert.Equal("path", completions.Matches[0].Kind);
        Assert.Empty(await Texts("#!import none/|"));
        Assert.Equal(["a.cs"], await Texts("#load \"a|"));
    }

    [Fact]
    public async Task References_name_assemblies_relative_to_the_notebook()
    {
        _cells.Write(Path.Combine("bin", "One.dll"), "");
        _cells.Write(Path.Combine("bin", "One.xml"), "");
        Assert.Equal(["../", "bin/", "nuget: "], await Texts("#r \"|"));
        Assert.Equal(["nuget: "], await Texts("#r \"nu|"));
        Assert.Equal(["One.dll"], await Texts("#r \"bin/o|\""));
        Assert.Equal(["One.dll"], await Texts($"1.ToString();\n  #r \"{Path.Combine(_cells.Folder, "bin")}/On|"));
    }

    [Fact]
    public async Task Packages_are_those_of_this_machine()
    {
        // This test's own packages are among them.
        var match = Assert.Single((await _cells.Complete("#r \"nuget: cschec|\"")).Matches);
        Assert.Equal(("CsCheck", "module"), (match.Text, match.Kind));
        Assert.Contains(match.Signature, await Texts("#r \"nuget: CsCheck, |\""));
        Assert.Equal([match.Signature], await Texts($"#r \"nuget: cscheck,{match.Signature[..^1]}|"));
        Assert.Empty(await Texts("#r \"nuget: No.Such.Package, |"));
    }
}
