using static TorchSharp.torch;

namespace Vit.Detection;

/// <summary>A box in one of many images, found or true.</summary>
/// <param name="Image">The number of the image.</param>
/// <param name="Label">The class.</param>
/// <param name="Left">The smallest x.</param>
/// <param name="Top">The smallest y.</param>
/// <param name="Right">The largest x.</param>
/// <param name="Bottom">The largest y.</param>
/// <param name="Score">How sure the detector is; of a true box it says nothing.</param>
public sealed record ScoredBox(int Image, int Label, double Left, double Top, double Right, double Bottom, double Score = 1)
{
    /// <summary>Intersection over union with another box, whatever their images.</summary>
    public double IoU(ScoredBox other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var common = Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left))
            * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));
        var union = Area + other.Area - common;
        return union > 0 ? common / union : 0;
    }

    double Area => Math.Max(0, Right - Left) * Math.Max(0, Bottom - Top);

    /// <summary>The true boxes of a batch.</summary>
    /// <param name="labels">[B, M], int64; -1 where an image has fewer than M objects.</param>
    /// <param name="boxes">[B, M, 4], centre form.</param>
    /// <returns>Image by image.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together, or the labels are not int64.</exception>
    public static IReadOnlyList<ScoredBox> OfTruth(Tensor labels, Tensor boxes)
    {
        SetLoss.CheckObjects(labels, boxes);
        using var scope = NewDisposeScope();
        var known = labels.cpu().contiguous().data<long>().ToArray();
        return Of(boxes, known, i => known[i] >= 0, _ => 1, firstImage: 0);
    }

    /// <summary>Those of the boxes [B, M, 4], centre form, that are kept; each is told by its number among all B · M.</summary>
    internal static IReadOnlyList<ScoredBox> Of(Tensor boxes, long[] labels, Func<int, bool> kept, Func<int, double> score, int firstImage)
    {
        var corners = Boxes.ToCorners(boxes).to(float32).cpu().contiguous().data<float>().ToArray();
        var inEach = (int)boxes.shape[1];
        return [.. Enumerable.Range(0, labels.Length).Where(kept).Select(i => new ScoredBox(
            firstImage + i / inEach, (int)labels[i], corners[4 * i], corners[4 * i + 1], corners[4 * i + 2], corners[4 * i + 3], score(i)))];
    }
}
