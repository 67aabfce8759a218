namespace Vit.Weights;

/// <summary>A checkpoint does not fit its model.</summary>
public sealed class WeightMismatchException(string path, WeightMismatch mismatch) : Exception($"{path} does not fit the model. {mismatch}")
{
    /// <summary>Every difference, by name.</summary>
    public WeightMismatch Mismatch => mismatch;
}
