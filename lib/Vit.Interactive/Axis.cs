namespace Vit.Interactive;

/// <summary>An axis of a chart; a plain text serves as one.</summary>
/// <param name="Title">What it measures, with its unit.</param>
/// <param name="Logarithmic">Whether it runs in powers of ten.</param>
public sealed record Axis(string Title, bool Logarithmic = false)
{
    /// <summary>A linear axis of that title.</summary>
    public static implicit operator Axis(string title) => new(title);
}
