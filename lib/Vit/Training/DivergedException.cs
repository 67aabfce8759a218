namespace Vit.Training;

/// <summary>
/// A loss, a gradient or a weight is no finite number any more. The weights are as before the step, or as after it where
/// only the validation that follows it shows it.
/// </summary>
/// <param name="message">What was found, where, and what can be gone back to.</param>
/// <param name="step">The step, from 1.</param>
/// <param name="layer">The parameter in which it showed; null where it showed in the loss alone.</param>
/// <param name="lastGood">The newest checkpoint, all finite; null where there is none.</param>
public sealed class DivergedException(string message, long step, string? layer, string? lastGood) : ArithmeticException(message)
{
    /// <summary>The step, from 1.</summary>
    public long Step { get; } = step;

    /// <summary>The parameter in which it showed; null where it showed in the loss alone.</summary>
    public string? Layer { get; } = layer;

    /// <summary>The newest checkpoint, all finite; null where there is none.</summary>
    public string? LastGoodCheckpoint { get; } = lastGood;
}
