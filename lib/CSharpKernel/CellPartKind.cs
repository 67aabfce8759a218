namespace CSharpKernel;

/// <summary>What a part of a cell is.</summary>
internal enum CellPartKind
{
    CSharp,
    Markdown,
    Html,
    Import,
}
