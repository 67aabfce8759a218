using static TorchSharp.torch;

namespace Vit.Detection;

/// <summary>Boxes in two forms, and how well two of them agree.</summary>
/// <remarks>
/// A box in corner form is left, top, right, bottom; in centre form it is the centre's x and y, then width and height. The unit
/// is the reader's own, pixels or fractions of the image, as long as it is the same in both boxes.
/// </remarks>
public static class Boxes
{
    /// <summary>From centre, width and height to the four edges.</summary>
    /// <param name="centers">[…, 4].</param>
    /// <returns>[…, 4].</returns>
    /// <exception cref="ArgumentException">The last dimension is not 4.</exception>
    public static Tensor ToCorners(Tensor centers)
    {
        Check(centers, nameof(centers));
        using var scope = NewDisposeScope();
        var (center, half) = (centers.narrow(-1, 0, 2), centers.narrow(-1, 2, 2) / 2);
        return cat([center - half, center + half], -1).MoveToOuterDisposeScope();
    }

    /// <summary>From the four edges to centre, width and height.</summary>
    /// <param name="corners">[…, 4].</param>
    /// <returns>[…, 4].</returns>
    /// <exception cref="ArgumentException">The last dimension is not 4.</exception>
    public static Tensor ToCenters(Tensor corners)
    {
        Check(corners, nameof(corners));
        using var scope = NewDisposeScope();
        var (low, high) = (corners.narrow(-1, 0, 2), corners.narrow(-1, 2, 2));
        return cat([(low + high) / 2, high - low], -1).MoveToOuterDisposeScope();
    }

    /// <summary>Intersection over union: the area that both have, divided by the area that either has.</summary>
    /// <param name="first">Corners, [N, 4] or more dimensions.</param>
    /// <param name="second">Corners, of a shape that broadcasts with the first: [N, 1, 4] and [M, 4] give all pairs.</param>
    /// <returns>From 0 to 1; the common shape without its last dimension. Two boxes without an area have 0.</returns>
    /// <exception cref="ArgumentException">The last dimension of one of them is not 4.</exception>
    public static Tensor IoU(Tensor first, Tensor second)
    {
        Check(first, nameof(first));
        Check(second, nameof(second));
        using var scope = NewDisposeScope();
        var (common, union) = Areas(first, second);
        return (common / union.clamp_min(Tiny)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Generalised IoU (arXiv:1902.09630): IoU minus the share of the smallest box around both that neither fills. It falls as
    /// boxes that do not touch move apart, where IoU is 0 and has no gradient.
    /// </summary>
    /// <param name="first">As for <see cref="IoU"/>.</param>
    /// <param name="second">As for <see cref="IoU"/>.</param>
    /// <returns>Above −1, at most 1; the common shape without its last dimension.</returns>
    /// <exception cref="ArgumentException">The last dimension of one of them is not 4.</exception>
    public static Tensor GeneralizedIoU(Tensor first, Tensor second)
    {
        Check(first, nameof(first));
        Check(second, nameof(second));
        using var scope = NewDisposeScope();
        var (common, union) = Areas(first, second);
        var around = Area(minimum(Low(first), Low(second)), maximum(High(first), High(second)));
        return (common / union.clamp_min(Tiny) - (around - union) / around.clamp_min(Tiny)).MoveToOuterDisposeScope();
    }

    // Far below the area of any box that is one, in fractions of an image or in pixels.
    const double Tiny = 1e-12;

    static Tensor Low(Tensor corners) => corners.narrow(-1, 0, 2);

    static Tensor High(Tensor corners) => corners.narrow(-1, 2, 2);

    static Tensor Area(Tensor low, Tensor high) => (high - low).clamp_min(0).prod(-1);

    static (Tensor Common, Tensor Union) Areas(Tensor first, Tensor second)
    {
        var common = Area(maximum(Low(first), Low(second)), minimum(High(first), High(second)));
        return (common, Area(Low(first), High(first)) + Area(Low(second), High(second)) - common);
    }

    internal static void Check(Tensor boxes, string name)
    {
        if (boxes.dim() == 0 || boxes.shape[^1] != 4)
            throw new ArgumentException($"Boxes are [..., 4], given were {Shape.Of(boxes)}.", name);
    }
}
