using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>Pictures with several objects, and where these are.</summary>
/// <param name="Images">[B, 1, H, W], uint8.</param>
/// <param name="Labels">[B, M], int64: the kind of each object; -1 where a picture has fewer than M.</param>
/// <param name="Boxes">[B, M, 4], float32: centre x and y, width and height, in fractions of the picture; 0 where there is no object.</param>
public sealed record Scenes(Tensor Images, Tensor Labels, Tensor Boxes)
{
    /// <summary>How many pictures.</summary>
    public int Count => (int)Images.shape[0];

    /// <summary>The pictures as a model takes them.</summary>
    /// <returns>[B, 1, H, W], float32 from -1 to 1.</returns>
    public Tensor Pixels()
    {
        using var scope = NewDisposeScope();
        return (Images.to(float32) / 127.5 - 1).MoveToOuterDisposeScope();
    }

    /// <summary>Some of the pictures, one after the other.</summary>
    /// <param name="first">The number of the first.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public Scenes Part(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count - first);
        return new(Images.narrow(0, first, count), Labels.narrow(0, first, count), Boxes.narrow(0, first, count));
    }
}
