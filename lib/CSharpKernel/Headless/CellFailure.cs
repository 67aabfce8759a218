namespace CSharpKernel.Headless;

/// <summary>Why a notebook stopped.</summary>
/// <param name="Cell">Number among the code cells, from 1.</param>
/// <param name="Line">Line of the cell, from 1; null where no line is to blame.</param>
/// <param name="Source">That line.</param>
/// <param name="Details">The exception with its trace, or what else went wrong.</param>
public sealed record CellFailure(int Cell, int? Line, string? Source, IReadOnlyList<string> Details)
{
    /// <summary>All of it, as lines for a reader.</summary>
    public IEnumerable<string> Lines =>
    [
        $"cell {Cell}{(Line is { } line ? $", line {line}" : "")} failed:",
        .. Source is null ? Array.Empty<string>() : [$"    {Source}"],
        .. Details.Select(d => $"  {d}"),
    ];
}
