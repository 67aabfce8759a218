namespace CSharpKernel.Cells;

/// <summary>Ends what an interrupted cell has started. Where nobody catches it, there is nothing to tell.</summary>
sealed class CellInterruptedException() : OperationCanceledException("The cell was interrupted.");
