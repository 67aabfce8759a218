namespace CSharpKernel.Assistance;

/// <summary>The ways to go on at the cursor, the likeliest first.</summary>
/// <param name="Matches">May be empty.</param>
/// <param name="Start">Where the text begins that a match replaces, in UTF-16 units.</param>
/// <param name="End">Where it ends.</param>
public sealed record Completions(IReadOnlyList<Completion> Matches, int Start, int End);
