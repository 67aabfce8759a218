namespace CSharpKernel.Assistance;

/// <summary>Whether a cell can run as it stands.</summary>
/// <param name="Status">In Jupyter's words: <c>complete</c>, <c>incomplete</c> where more must follow, <c>invalid</c> where nothing that follows would help.</param>
/// <param name="Indent">How far the next line is to be indented where more must follow.</param>
public sealed record Completeness(string Status, string Indent = "");
