namespace Vit.Data;

/// <summary>Which part of a data set.</summary>
public enum Split
{
    /// <summary>The images to learn from.</summary>
    Train,

    /// <summary>The images that only the final measurement sees.</summary>
    Test,
}
