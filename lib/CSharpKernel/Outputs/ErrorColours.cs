using System.Text.RegularExpressions;

namespace CSharpKernel.Outputs;

/// <summary>
/// An error's lines as Jupyter's front ends show them: in the colours of a terminal (ECMA-48), with the lines of the cell
/// that are to blame. What is kept in documents by the headless runner stays without them.
/// </summary>
static partial class ErrorColours
{
    /// <summary>How many lines of the cell are shown above and below the one to blame.</summary>
    const int Around = 2;

    /// <summary>Colours an error's traceback and puts the cell's lines into it.</summary>
    /// <param name="error">The error.</param>
    /// <param name="code">The cell that it is the error of.</param>
    public static IReadOnlyList<string> Traceback(Output.Error error, string code)
    {
        var cell = error.Line is null ? [] : code.ReplaceLineEndings("\n").Split('\n');
        var lines = new List<string>();
        foreach (var line in error.Traceback)
        {
            if (CompileError().Match(line) is { Success: true } compile)
            {
                var groups = compile.Groups;
                lines.Add($"{Cyan(groups["place"].Value)}: {Red(groups["kind"].Value)}{groups["message"].Value}");
                lines.AddRange(Excerpt(cell, int.Parse(groups["line"].ValueSpan), int.Parse(groups["column"].ValueSpan)));
            }
            else if (line.StartsWith("   at ", StringComparison.Ordinal))
            {
                lines.Add(CellFrame().Replace(line, m => m.Groups["member"].Value + Cyan(m.Groups["place"].Value)));
            }
            else
            {
                var name = line.StartsWith(error.Name, StringComparison.Ordinal) ? error.Name : Inner().Match(line).Value;
                lines.Add(lines.Count == 0 && name.Length == 0 ? Red(line) : name.Length == 0 ? line : Red(name) + line[name.Length..]);
            }
        }

        // An exception has a line, a compile error its lines and columns.
        var frames = lines.FindIndex(l => l.StartsWith("   at ", StringComparison.Ordinal));
        if (error.Line is { } number && frames >= 0)
        {
            lines.InsertRange(frames, Excerpt(cell, number, column: null));
        }

        return lines;
    }

    /// <summary>Lines of the cell with their numbers, an arrow at one, and a mark below its place.</summary>
    static IEnumerable<string> Excerpt(string[] cell, int line, int? column)
    {
        for (var number = Math.Max(line - Around, 1); number <= Math.Min(line + Around, cell.Length); number++)
        {
            var text = cell[number - 1];
            if (number != line)
            {
                yield return $"{Green($"{number,7}")} {text}";
                continue;
            }

            yield return $"{Green($"---->{(number < 10 ? " " : "")}{number}")} {Bold(text)}";
            if (column is { } place && place <= text.Length + 1)
            {
                var length = Math.Max(Word().Match(text, place - 1).Length, 1);
                // A tab is as wide as the front end makes it, so it stays one.
                yield return $"        {new string([.. text[..(place - 1)].Select(c => c == '\t' ? c : ' ')])}{Red(new string('^', length))}";
            }
        }
    }

    static string Red(string text) => $"\e[31m{text}\e[0m";

    static string Green(string text) => $"\e[32m{text}\e[0m";

    static string Cyan(string text) => $"\e[36m{text}\e[0m";

    static string Bold(string text) => $"\e[1m{text}\e[0m";

    [GeneratedRegex(@"^(?<place>.+ \((?<line>[0-9]+),(?<column>[0-9]+)\)): (?<kind>error CS[0-9]+)(?<message>.*)$")]
    private static partial Regex CompileError();

    [GeneratedRegex(@"^(?<member>   at (.+ in )?)(?<place>[^()]+, line [0-9]+)$")]
    private static partial Regex CellFrame();

    [GeneratedRegex(@"^ ---> [\w.+`]+(?=:)")]
    private static partial Regex Inner();

    [GeneratedRegex(@"\G\w*")]
    private static partial Regex Word();
}
