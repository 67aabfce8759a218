using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CSharpKernel.Cells;

/// <summary>
/// Lets the loops of a cell be interrupted: at every round they ask whether their cell was. Aborting a thread is the
/// last resort, for code that no cell holds: the runtime may abort it while it holds a lock, or die of it (seen on
/// .NET 10.0.12 with calls through interfaces).
/// </summary>
sealed class InterruptionPoints
{
    const string Opening = $"{{global::CSharpKernel.Cells.{nameof(CellFunctions)}.{nameof(CellFunctions.ThrowIfInterrupted)}();";
    const string Closing = "}";

    readonly List<(int Position, string Text)> _insertions;

    /// <summary>Finds the loops.</summary>
    /// <param name="root">The cell.</param>
    public InterruptionPoints(SyntaxNode root)
    {
        var bodies = root.DescendantNodes().Select(n => n switch
        {
            WhileStatementSyntax loop => loop.Statement,
            DoStatementSyntax loop => loop.Statement,
            ForStatementSyntax loop => loop.Statement,
            CommonForEachStatementSyntax loop => loop.Statement,
            _ => null,
        }).OfType<StatementSyntax>().Where(s => !s.IsMissing);
        _insertions = [.. bodies.SelectMany(b => new[] { (b.SpanStart, Opening), (b.Span.End, Closing) }).OrderBy(i => i.Item1)];
    }

    /// <summary>Whether there are loops.</summary>
    public bool Any => _insertions.Count > 0;

    /// <summary>The cell with its points; no line of it moves.</summary>
    /// <param name="code">The cell.</param>
    public string AddTo(string code)
    {
        var text = new StringBuilder(code);
        foreach (var (position, insertion) in Enumerable.Reverse(_insertions))
        {
            text.Insert(position, insertion);
        }

        return text.ToString();
    }

    /// <summary>Where a place in the code with points stood before.</summary>
    public int Original(int position)
    {
        foreach (var (at, text) in _insertions)
        {
            if (position <= at)
            {
                break;
            }

            position = Math.Max(at, position - text.Length);
        }

        return position;
    }
}
