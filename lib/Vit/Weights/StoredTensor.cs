using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>What a file says about one of its tensors.</summary>
/// <param name="Type">The type of the elements.</param>
/// <param name="Shape">The size of every dimension; empty for a scalar.</param>
/// <param name="Start">The first byte, counted from the start of the file, or of its entry in an .npz.</param>
/// <param name="Length">The number of bytes.</param>
public sealed record StoredTensor(ScalarType Type, long[] Shape, long Start, long Length)
{
    /// <summary>Whether both say the same.</summary>
    public bool Equals(StoredTensor? other) =>
        other is not null && (Type, Start, Length) == (other.Type, other.Start, other.Length) && Shape.SequenceEqual(other.Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Start, Length);
}
