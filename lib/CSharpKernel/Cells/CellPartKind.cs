namespace CSharpKernel.Cells;

/// <summary>What a part of a cell is.</summary>
enum CellPartKind
{
    CSharp,
    Markdown,
    Html,
    Import,
    Load,
    Names,
    Variables,
}
