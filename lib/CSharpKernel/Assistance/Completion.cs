namespace CSharpKernel.Assistance;

/// <summary>One way to go on at the cursor.</summary>
/// <param name="Text">What takes the place of the text between <see cref="Completions.Start"/> and <see cref="Completions.End"/>.</param>
/// <param name="Kind">What it is, in the words that front ends have icons for: <c>method</c>, <c>class</c>, <c>keyword</c>, <c>path</c> …</param>
/// <param name="Signature">Parameters and type, for instance <c>(int index) → char</c>; empty where there is nothing to tell.</param>
public sealed record Completion(string Text, string Kind, string Signature);
