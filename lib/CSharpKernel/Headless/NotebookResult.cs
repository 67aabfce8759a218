namespace CSharpKernel.Headless;

/// <summary>How a notebook's run went.</summary>
/// <param name="Cells">Its code cells.</param>
/// <param name="Duration">From the process's start to the last cell's end.</param>
/// <param name="PeakMemory">The most memory that its process had resident, in bytes.</param>
/// <param name="Conclusion">First line of what the cell tagged <c>conclusion</c> gave; null without such a cell.</param>
/// <param name="Failure">The cell that failed; null if none did.</param>
public sealed record NotebookResult(int Cells, TimeSpan Duration, long PeakMemory, string? Conclusion, CellFailure? Failure);
