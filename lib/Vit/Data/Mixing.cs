using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// Mixes each image with another of its batch, and their targets in the same proportion: mixup (arXiv:1710.09412) adds
/// them, cutmix (arXiv:1905.04899) puts a rectangle of the one into the other. Both are off until asked for.
/// </summary>
public sealed record Mixing
{
    /// <summary>Mixup's share of the first image comes from Beta(α, α); 0 is no mixup.</summary>
    public double MixUpAlpha { get; init; }

    /// <summary>Cutmix' share of the first image comes from Beta(α, α); 0 is no cutmix.</summary>
    public double CutMixAlpha { get; init; }

    /// <summary>The share of images that are mixed; with both kinds on, each gets half of them.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Mixes a batch.</summary>
    /// <param name="images">[B, C, H, W], float32; it stays as it is.</param>
    /// <param name="labels">[B], int64, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">K.</param>
    /// <param name="labelSmoothing">ε: so much of each target is spread over all classes (arXiv:1512.00567).</param>
    /// <param name="seed">The same batch and seed give the same result; no other source of randomness is used.</param>
    /// <returns>Images [B, C, H, W] and targets [B, K], float32, each row of which sums to 1.</returns>
    /// <exception cref="ArgumentException">Images or labels are of another shape or type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public (Tensor Images, Tensor Targets) Apply(Tensor images, Tensor labels, int classes, double labelSmoothing, long seed)
    {
        if (images.dim() != 4 || images.dtype != ScalarType.Float32)
            throw new ArgumentException($"Found {images.dtype} {Shape.Of(images)}, expected float32 [B, C, H, W].", nameof(images));
        Check();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var targets = Targets(labels, classes, labelSmoothing);
        if (labels.shape[0] != images.shape[0])
            throw new ArgumentException($"Found {labels.shape[0]} labels, expected {images.shape[0]}, one for each image.", nameof(labels));
        var (mixed, mixedTargets) = Mix(images, targets, seed);
        return (mixed.MoveToOuterDisposeScope(), mixedTargets.MoveToOuterDisposeScope());
    }

    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    internal void Check()
    {
        Bounds.Check(MixUpAlpha, 0, double.MaxValue, nameof(MixUpAlpha));
        Bounds.Check(CutMixAlpha, 0, double.MaxValue, nameof(CutMixAlpha));
        Bounds.Check(Probability, 0, 1, nameof(Probability));
    }

    (Tensor, Tensor) Mix(Tensor images, Tensor targets, long seed)
    {
        var (batch, height, width) = ((int)images.shape[0], images.shape[2], images.shape[3]);
        var random = new Random((int)seed);
        var (up, cut) = (MixUpAlpha > 0, CutMixAlpha > 0);
        var shares = new float[batch];
        var blends = new float[batch];
        var boxes = new long[4, batch];
        for (var i = 0; i < batch; i++)
        {
            (shares[i], blends[i]) = (1, 1);
            if (random.NextDouble() >= Probability)
                continue;
            if (up && (!cut || random.Next(2) == 0))
                shares[i] = blends[i] = (float)Share(random, MixUpAlpha);
            else if (cut)
            {
                var side = Math.Sqrt(1 - Share(random, CutMixAlpha));
                var (top, bottom) = Span(random, height, side);
                var (left, right) = Span(random, width, side);
                (boxes[0, i], boxes[1, i], boxes[2, i], boxes[3, i]) = (top, bottom, left, right);
                // The rectangle may reach over the edge: the share is what is left of it, not what was drawn.
                shares[i] = (float)(1 - (double)((bottom - top) * (right - left)) / (height * width));
            }
        }
        var partner = tensor(Order.Of(batch, random.Next()), device: images.device);
        var kept = Column(blends).reshape(batch, 1, 1, 1);
        if (cut)
        {
            var box = from_array(boxes).to(images.device).unsqueeze(2);
            var (rows, columns) = (arange(height, device: images.device), arange(width, device: images.device));
            var inside = ((rows >= box[0]) & (rows < box[1])).reshape(batch, 1, height, 1) & ((columns >= box[2]) & (columns < box[3])).reshape(batch, 1, 1, width);
            kept = kept.masked_fill(inside, 0);
        }
        return (
            images.index_select(0, partner).lerp_(images, kept),
            targets.index_select(0, partner).lerp_(targets, Column(shares).unsqueeze(1)));

        Tensor Column(float[] values) => tensor(values, device: images.device);
    }

    // Beta(α, α) from Student's t, drawn in one line (Devroye, "Random variate generation in one line of code", 1996).
    static double Share(Random random, double alpha)
    {
        var direction = Math.Cos(2 * Math.PI * random.NextDouble());
        var square = (Math.Pow(1 - random.NextDouble(), -1 / alpha) - 1) * direction * direction;
        return 0.5 + 0.5 * Math.Sign(direction) / Math.Sqrt(1 + 1 / square);
    }

    static (long Start, long End) Span(Random random, long length, double share)
    {
        var middle = random.NextInt64(length);
        var half = (long)(length * share) / 2;
        return (Math.Max(middle - half, 0), Math.Min(middle + half, length));
    }

    /// <summary>What a model should say about images that are not mixed.</summary>
    /// <param name="labels">[B], int64, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">K.</param>
    /// <param name="labelSmoothing">ε: so much of each target is spread over all classes (arXiv:1512.00567).</param>
    /// <returns>[B, K], float32: 1 - ε + ε / K at the label, ε / K elsewhere.</returns>
    /// <exception cref="ArgumentException">The labels are of another shape or type, or one names no class.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ε is not from 0 to 1, or K is not positive.</exception>
    public static Tensor Targets(Tensor labels, int classes, double labelSmoothing)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Bounds.Check(labelSmoothing, 0, 1, nameof(labelSmoothing));
        if (labels.dim() != 1 || labels.dtype != ScalarType.Int64 || labels.shape[0] == 0)
            throw new ArgumentException($"Found {labels.dtype} {Shape.Of(labels)}, expected int64 [B].", nameof(labels));
        using var scope = NewDisposeScope();
        var (lowest, highest) = (labels.min().item<long>(), labels.max().item<long>());
        if (lowest < 0 || highest >= classes)
            throw new ArgumentException($"Found labels from {lowest} to {highest}, expected 0 to {classes - 1}.", nameof(labels));
        return nn.functional.one_hot(labels, classes).to(ScalarType.Float32).mul_(1 - labelSmoothing).add_(labelSmoothing / classes).MoveToOuterDisposeScope();
    }
}
