namespace CSharpKernel.Cells;

/// <summary>A variable that cells have declared.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">As declared.</param>
/// <param name="Value">What it holds.</param>
sealed record Variable(string Name, Type Type, object? Value);
