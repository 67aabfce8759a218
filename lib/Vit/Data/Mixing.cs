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
            throw new ArgumentException($"Found {images.dtype} [{string.Join(", ", images.shape)}], expected float32 [B, C, H, W].", nameof(images));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var targets = Targets(labels, classes, labelSmoothing);
        var (mixed, mixedTargets) = Mix(images, targets, seed);
        return (mixed.MoveToOuterDisposeScope(), mixedTargets.MoveToOuterDisposeScope());
    }

    (Tensor, Tensor) Mix(Tensor images, Tensor targets, long seed)
    {
        var (batch, height, width) = ((int)images.shape[0], images.shape[2], images.shape[3]);
        var random = new Random((int)seed);
        using var generator = new Generator((ulong)seed);
        var (up, cut) = (Shares(MixUpAlpha), Shares(CutMixAlpha));
        var kept = new float[batch];
        var blended = new float[batch];
        var boxes = new long[4, batch];
        for (var i = 0; i < batch; i++)
        {
            (kept[i], blended[i]) = (1, 1);
            if (random.NextDouble() >= Probability)
                continue;
            if (up is not null && (cut is null || random.Next(2) == 0))
                kept[i] = blended[i] = up[i];
            else if (cut is not null)
            {
                var side = Math.Sqrt(1 - cut[i]);
                var (top, bottom) = Span(random, height, side);
                var (left, right) = Span(random, width, side);
                (boxes[0, i], boxes[1, i], boxes[2, i], boxes[3, i]) = (top, bottom, left, right);
                // The rectangle may reach over the edge: the share is what is left of it, not what was drawn.
                kept[i] = (float)(1 - (double)((bottom - top) * (right - left)) / (height * width));
            }
        }
        var order = new long[batch];
        for (var i = 0; i < batch; i++)
            order[i] = i;
        random.Shuffle(order);

        var partner = tensor(order, device: images.device);
        var (others, otherTargets) = (images.index_select(0, partner), targets.index_select(0, partner));
        var mixed = images;
        if (up is not null)
            mixed = lerp(others, mixed, Column(blended, 4));
        if (cut is not null)
        {
            var box = from_array(boxes).to(images.device);
            var (rows, columns) = (arange(height, device: images.device), arange(width, device: images.device));
            var inside = ((rows >= box[0].unsqueeze(1)) & (rows < box[1].unsqueeze(1))).reshape(batch, 1, height, 1)
                & ((columns >= box[2].unsqueeze(1)) & (columns < box[3].unsqueeze(1))).reshape(batch, 1, 1, width);
            mixed = where(inside, others, mixed);
        }
        return (ReferenceEquals(mixed, images) ? images.clone() : mixed, lerp(otherTargets, targets, Column(kept, 2)));

        float[]? Shares(double alpha) => alpha == 0 ? null
            : distributions.Beta(tensor((float)alpha), tensor((float)alpha), generator).sample(batch).data<float>().ToArray();

        Tensor Column(float[] values, int dimensions) =>
            tensor(values, device: images.device).reshape([batch, .. Enumerable.Repeat(1L, dimensions - 1)]);
    }

    static (long Start, long End) Span(Random random, long length, double share)
    {
        var middle = random.NextInt64(length);
        var half = (long)(length * share) / 2;
        return (Math.Max(middle - half, 0), Math.Min(middle + half, length));
    }

    static Tensor Targets(Tensor labels, int classes, double labelSmoothing) =>
        nn.functional.one_hot(labels, classes).to(ScalarType.Float32).mul_(1 - labelSmoothing).add_(labelSmoothing / classes);
}
