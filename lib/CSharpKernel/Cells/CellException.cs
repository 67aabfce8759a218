namespace CSharpKernel.Cells;

/// <summary>A cell that cannot run: a compile error, a directive that is not understood, a reference that is not found.</summary>
sealed class CellException(string name, string message, string file, int? line) : Exception(message)
{
    /// <summary>What the error is called in the notebook.</summary>
    public string Name { get; } = name;

    /// <summary>The cell or imported file.</summary>
    public string File { get; } = file;

    /// <summary>From 1.</summary>
    public int? Line { get; } = line;
}
