using System.Text.Json.Nodes;

namespace CSharpKernel.Assistance;

/// <summary>
/// Helps to write cells: completion, signatures and documentation, over what the cells so far have declared and
/// referenced. It may be asked while a cell runs.
/// </summary>
public sealed class CodeAssistant
{
    internal CodeAssistant(Submissions submissions, References references, string folder)
    {
    }

    /// <summary>Loads and compiles in the background what the first question would have to wait for.</summary>
    public Task WarmUp(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Tells how the text could go on at the cursor.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">In UTF-16 units; values outside the text count as its nearest end.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<Completions> Complete(string code, int cursor, CancellationToken cancellation) =>
        Task.FromResult(new Completions([], cursor, cursor));

    /// <summary>Tells what stands at the cursor: signature and documentation; behind an opening parenthesis all overloads.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">In UTF-16 units; values outside the text count as its nearest end.</param>
    /// <param name="detail">1 for remarks, exceptions and return value too.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>A MIME bundle with <c>text/plain</c> and <c>text/markdown</c>; null if nothing is known.</returns>
    public Task<JsonObject?> Inspect(string code, int cursor, int detail, CancellationToken cancellation) =>
        Task.FromResult<JsonObject?>(null);

    /// <summary>Whether a cell can run as it stands.</summary>
    public static Completeness IsComplete(string code) => new("complete");
}
