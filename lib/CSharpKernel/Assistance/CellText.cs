using System.Text.RegularExpressions;

namespace CSharpKernel.Assistance;

/// <summary>The C# of a cell, each character at the place that it has in the cell.</summary>
static partial class CellText
{
    /// <summary>Puts blanks in the place of directives and of parts that are not C#.</summary>
    public static string CSharpOnly(string code)
    {
        var characters = code.ToCharArray();
        var isCSharp = true;
        for (var start = 0; start < code.Length;)
        {
            var end = code.IndexOf('\n', start) is >= 0 and var found ? found : code.Length;
            var line = code.AsSpan(start, end - start).TrimEnd('\r');
            if (line.StartsWith("#!"))
            {
                var word = line[2..].Trim();
                isCSharp = word is "csharp" or "c#" || isCSharp && word is not ("markdown" or "html");
            }

            if (!isCSharp || line.StartsWith("#!") || OtherDirective().IsMatch(line))
            {
                characters.AsSpan(start, line.Length).Fill(' ');
            }

            start = end + 1;
        }

        return new string(characters);
    }

    /// <summary>Whether what is written at the cursor will be C#.</summary>
    public static bool IsCSharp(string code, int cursor) => CSharpOnly(code[..cursor] + 'x')[^1] == 'x';

    /// <summary>The paths that the cell's <c>#r</c> directives name.</summary>
    public static IEnumerable<string> ReferencedPaths(string code) =>
        code.Contains("#r", StringComparison.Ordinal) ? ReferenceLine().Matches(code).Select(m => m.Groups["path"].Value) : [];

    [GeneratedRegex("^[ \t]*#(r|i|load)[ \t]+\"")]
    private static partial Regex OtherDirective();

    [GeneratedRegex("""^[ \t]*#r[ \t]+"(?<path>[^"\r\n]*)"?""", RegexOptions.Multiline)]
    private static partial Regex ReferenceLine();
}
