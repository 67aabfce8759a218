using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CSharpKernel.Cells;

/// <summary>A part of a cell between two directives.</summary>
/// <param name="Kind">What the text is.</param>
/// <param name="Text">For C#, padded so that its lines have the numbers they have in the cell; for an import, and what is loaded, the path.</param>
/// <param name="Line">Where the part begins, from 1.</param>
sealed record CellPart(CellPartKind Kind, string Text, int Line)
{
    /// <summary>Those of .NET Interactive, which this kernel does not run.</summary>
    public static readonly IReadOnlyList<string> OtherLanguages =
        ["fsharp", "f#", "pwsh", "powershell", "javascript", "js", "sql", "kql", "python", "r", "mermaid", "http", "value"];

    /// <summary>Splits a cell at its directives (<c>#!csharp</c>, <c>#!markdown</c>, <c>#!html</c>, <c>#!time</c>, <c>#!import</c>, <c>#!who</c>, <c>#!whos</c>, <c>#load</c>).</summary>
    /// <param name="code">The cell.</param>
    /// <param name="name">What the cell or file is called in errors.</param>
    /// <param name="timed">Whether <c>#!time</c> stands in it.</param>
    /// <exception cref="CellException">A directive is unknown, or of another language, or lacks its argument.</exception>
    public static IReadOnlyList<CellPart> Split(string code, string name, out bool timed)
    {
        timed = false;
        var parts = new List<CellPart>();
        var kind = CellPartKind.CSharp;
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        var start = 0;

        for (var i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("#!", StringComparison.Ordinal))
            {
                continue;
            }

            End(i);
            start = i + 1;
            var words = lines[i][2..].Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var (directive, argument) = (words.ElementAtOrDefault(0) ?? "", words.ElementAtOrDefault(1));
            CellException Error(string message) => new("DirectiveError", message, name, i + 1);

            if (directive.StartsWith('/') && i == 0)
            {
                continue;
            }

            if (argument is not null && directive is "csharp" or "c#" or "markdown" or "html" or "time" or "who" or "whos")
            {
                throw Error($"#!{directive} takes nothing after it, but '{argument}' follows.");
            }

            switch (directive)
            {
                case "csharp" or "c#":
                    kind = CellPartKind.CSharp;
                    break;
                case "markdown":
                    kind = CellPartKind.Markdown;
                    break;
                case "html":
                    kind = CellPartKind.Html;
                    break;
                case "time":
                    timed = true;
                    break;
                case "who":
                    parts.Add(new(CellPartKind.Names, "", i + 1));
                    break;
                case "whos":
                    parts.Add(new(CellPartKind.Variables, "", i + 1));
                    break;
                case "import":
                    parts.Add(new(CellPartKind.Import, argument?.Trim('"') ?? throw Error("#!import takes the path of a .cs, .csx, .ipynb or .dib file."), i + 1));
                    break;
                case var other when OtherLanguages.Contains(other):
                    throw Error($"#!{other}: this kernel runs C#, not other languages.");
                default:
                    throw Error($"#!{directive}: there is no such directive; there are #!csharp, #!markdown, #!html, #!time, #!import, #!who and #!whos.");
            }
        }

        End(lines.Length);
        return parts;

        void End(int end)
        {
            var text = string.Join('\n', lines[start..end]);
            if (!string.IsNullOrWhiteSpace(text))
            {
                parts.Add(new(kind, kind == CellPartKind.CSharp ? WithoutLoads(new string('\n', start) + text) : text, start + 1));
            }
        }

        // What a part loads comes before it, as a part of its own.
        string WithoutLoads(string text)
        {
            if (!text.Contains("#load", StringComparison.Ordinal))
            {
                return text;
            }

            var characters = text.ToCharArray();
            foreach (var load in CSharpSyntaxTree.ParseText(text, Submissions.ParseOptions).GetRoot()
                .DescendantNodes(descendIntoTrivia: true).OfType<LoadDirectiveTriviaSyntax>())
            {
                if (load.IsActive)
                {
                    parts.Add(new(CellPartKind.Load, load.File.ValueText, load.GetLocation().GetLineSpan().StartLinePosition.Line + 1));
                }

                characters.AsSpan(load.HashToken.SpanStart, Math.Max(load.File.Span.End, load.LoadKeyword.Span.End) - load.HashToken.SpanStart).Fill(' ');
            }

            return new string(characters);
        }
    }
}
