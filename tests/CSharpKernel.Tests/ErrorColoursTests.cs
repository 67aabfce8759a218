using System.Text.RegularExpressions;
using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

public sealed partial class ErrorColoursTests : IDisposable
{
    readonly Cells _cells = new();

    public void Dispose() => _cells.Dispose();

    /// <summary>The coloured lines of a cell's error, with the colours written as r, g, c and b.</summary>
    async Task<string> Coloured(string code)
    {
        var error = await _cells.Error(code);
        Assert.DoesNotContain(error.Traceback, l => l.Contains('\e'));
        var text = string.Join('\n', ErrorColours.Traceback(error, code));
        return text.Replace("\e[31m", "<r>").Replace("\e[32m", "<g>").Replace("\e[36m", "<c>").Replace("\e[1m", "<b>").Replace("\e[0m", "</>");
    }

    [Fact]
    public async Task A_compile_error_is_marked_in_the_cells_line()
    {
        Assert.Equal(
            """
            <c>cell 1 (4,3)</>: <r>error CS0103</>: The name 'undefined' does not exist in the current context
            <g>      2</> 
            <g>      3</> // here
            <g>----> 4</> <b>  undefined(a);</>
                      <r>^^^^^^^^^</>
            <g>      5</> 
            <g>      6</> 
            <c>cell 1 (10,10)</>: <r>error CS0103</>: The name 'none' does not exist in the current context
            <g>      8</> 
            <g>      9</> 
            <g>---->10</> <b>	int b = none;</>
                    	        <r>^^^^</>
            """,
            await Coloured("var a = 1;\n\n// here\n  undefined(a);\n\n\n\n\n\n\tint b = none;"));
    }

    [Fact]
    public async Task An_exceptions_name_and_line_stand_out()
    {
        await _cells.Run("int Divide(int a, int b)\n{\n    return a / b;\n}");
        Assert.Equal(
            """
            <r>System.DivideByZeroException</>: Attempted to divide by zero.
            <g>      1</> var zero = 0;
            <g>----> 2</> <b>Divide(1, zero);</>
            <g>      3</> zero = 1;
               at Divide in <c>cell 1, line 3</>
               at <c>cell 2, line 2</>
            """,
            await Coloured("var zero = 0;\nDivide(1, zero);\nzero = 1;"));
    }

    [Fact]
    public async Task Inner_exceptions_and_lines_of_a_message_are_told_apart()
    {
        var text = await Coloured("throw new InvalidOperationException(\"one\\ntwo\", new ArgumentException(\"inner\"));");
        Assert.StartsWith("<r>System.InvalidOperationException</>: one\ntwo\n<g>----> 1</>", text);
        Assert.Contains("\n<r> ---> System.ArgumentException</>: inner", text);
    }

    [Fact]
    public async Task Errors_without_a_place_are_red()
    {
        Assert.Equal("<r>cell 1 (line 1): #!nothing: there is no such directive; there are #!csharp, #!markdown, #!html, #!time, #!import, #!who and #!whos.</>", await Coloured("#!nothing"));
        _cells.Write("bad.cs", "\nint x = \"s\";");
        Assert.Equal("<c>bad.cs (2,9)</>: <r>error CS0029</>: Cannot implicitly convert type 'string' to 'int'", await Coloured("#!import bad.cs"));
    }

    [Fact]
    public void Any_error_keeps_its_words()
    {
        var line = Gen.OneOf(Gen.String, Gen.Const("   at F in cell 1, line 2"), Gen.Const("cell 1 (1,3): error CS0001: x"), Gen.Const("cell 1 (9,99): error CS0001: x"));
        Gen.Select(Gen.String, line.Array[0, 4], Gen.Int[1, 5].Nullable(), Gen.String).Sample((name, traceback, number, code) =>
        {
            var coloured = ErrorColours.Traceback(new(name, "", traceback, number), code);
            var plain = coloured.Select(l => Colour().Replace(l, "")).ToList();
            Assert.Superset(traceback.Select(l => Colour().Replace(l, "")).ToHashSet(), plain.ToHashSet());
        });
    }

    [GeneratedRegex(@"\e\[[0-9]+m")]
    private static partial Regex Colour();
}
