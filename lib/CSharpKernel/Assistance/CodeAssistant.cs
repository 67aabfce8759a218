using System.Text.Json.Nodes;
using CSharpKernel.Cells;
using Microsoft.CodeAnalysis.CSharp;

namespace CSharpKernel.Assistance;

/// <summary>
/// Helps to write cells: completion, signatures and documentation, over what the cells so far have declared and
/// referenced. It may be asked while a cell runs. Roslyn's services are loaded when first needed.
/// </summary>
public sealed class CodeAssistant
{
    readonly string _folder;
    readonly Lazy<CellServices> _services;

    internal CodeAssistant(Submissions submissions, References references, string folder)
    {
        _folder = folder;
        _services = new(() => new CellServices(new CellWorkspace(submissions, references, folder)));
    }

    /// <summary>Loads and compiles in the background what the first question would have to wait for.</summary>
    public Task WarmUp(CancellationToken cancellation) => Task.Run(
        async () =>
        {
            const string code = "string.Join(";
            await _services.Value.Complete(code, "string.".Length, cancellation);
            await _services.Value.Inspect(code, code.Length, 0, cancellation);
        },
        cancellation);

    /// <summary>Tells how the text could go on at the cursor.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">In UTF-16 units; values outside the text count as its nearest end.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<Completions> Complete(string code, int cursor, CancellationToken cancellation)
    {
        cursor = Math.Clamp(cursor, 0, code.Length);
        return DirectiveCompletion.Complete(code, cursor, _folder)
            ?? (CellText.IsCSharp(code, cursor) ? await _services.Value.Complete(code, cursor, cancellation) : new([], cursor, cursor));
    }

    /// <summary>Tells what stands at the cursor: signature and documentation; between the parentheses of a call all overloads.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">In UTF-16 units; values outside the text count as its nearest end.</param>
    /// <param name="detail">1 for exceptions and remarks too.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>A MIME bundle with <c>text/plain</c> and <c>text/markdown</c>; null if nothing is known.</returns>
    public Task<JsonObject?> Inspect(string code, int cursor, int detail, CancellationToken cancellation) =>
        _services.Value.Inspect(code, Math.Clamp(cursor, 0, code.Length), detail, cancellation);

    /// <summary>Whether a cell can run as it stands.</summary>
    /// <param name="code">The cell.</param>
    public static Completeness IsComplete(string code)
    {
        try
        {
            CellPart.Split(code, "", out _);
        }
        catch (CellException)
        {
            return new("invalid");
        }

        var text = CellText.CSharpOnly(code);
        var tree = CSharpSyntaxTree.ParseText(text, Submissions.ParseOptions);
        if (SyntaxFactory.IsCompleteSubmission(tree))
        {
            return new(tree.GetDiagnostics().Any() ? "invalid" : "complete");
        }

        var last = text.TrimEnd().Split('\n')[^1];
        var indent = last[..^last.TrimStart().Length];
        return new("incomplete", last.EndsWith('{') || last.EndsWith('(') || last.EndsWith('[') ? indent + "    " : indent);
    }
}
