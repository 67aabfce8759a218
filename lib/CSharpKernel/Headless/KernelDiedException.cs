namespace CSharpKernel.Headless;

/// <summary>The process that ran a notebook ended in the middle of a cell.</summary>
/// <param name="cell">The cell that ran then.</param>
/// <param name="exit">How the process ended: its exit code, or the signal that killed it.</param>
public sealed class KernelDiedException(string cell, string exit) : Exception($"{cell} ended the process that ran it: {exit}.");
