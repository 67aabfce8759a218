using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Moves each channel of an image to mean 0 and standard deviation 1, as the weights at hand were trained.</summary>
public sealed record Normalization
{
    /// <summary>One value for each channel, or one for all.</summary>
    /// <param name="mean">What is subtracted, for pixels in [0, 1].</param>
    /// <param name="std">What the rest is divided by: as many as <paramref name="mean"/>, above 0.</param>
    /// <exception cref="ArgumentException">They are not equally many, none, or not above 0.</exception>
    public Normalization(IReadOnlyList<float> mean, IReadOnlyList<float> std)
    {
        if (mean.Count == 0 || mean.Count != std.Count || !mean.All(float.IsFinite) || !std.All(deviation => deviation > 0))
            throw new ArgumentException($"Found means [{string.Join(", ", mean)}] and deviations [{string.Join(", ", std)}], expected as many deviations above 0 as means.", nameof(std));
        (Mean, Std) = (new Values<float>(mean), new Values<float>(std));
    }

    /// <summary>One value for each channel, or one for all.</summary>
    public IReadOnlyList<float> Mean { get; }

    /// <summary>As many as <see cref="Mean"/>.</summary>
    public IReadOnlyList<float> Std { get; }

    /// <summary>Leaves pixels in [0, 1] as they are.</summary>
    public static Normalization None { get; } = new([0], [1]);

    /// <summary>ImageNet's own statistics: torchvision's weights, DeiT, Swin.</summary>
    public static Normalization ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    /// <summary>[0, 1] to [-1, 1]: the weights of the ViT paper.</summary>
    public static Normalization Half { get; } = new([0.5f], [0.5f]);

    /// <summary>(x - mean) / std.</summary>
    /// <param name="images">[..., C, H, W], float, in [0, 1].</param>
    /// <exception cref="ArgumentException">C is not the number of means.</exception>
    public Tensor Apply(Tensor images)
    {
        using var scope = NewDisposeScope();
        return (images - Channels(Mean, images)).div_(Channels(Std, images)).MoveToOuterDisposeScope();
    }

    /// <summary>x · std + mean: the inverse of <see cref="Apply"/>.</summary>
    /// <param name="images">[..., C, H, W], float.</param>
    /// <exception cref="ArgumentException">C is not the number of means.</exception>
    public Tensor Undo(Tensor images)
    {
        using var scope = NewDisposeScope();
        return (images * Channels(Std, images)).add_(Channels(Mean, images)).MoveToOuterDisposeScope();
    }

    static Tensor Channels(IReadOnlyList<float> values, Tensor images)
    {
        if (images.dim() < 3 || (values.Count != 1 && values.Count != images.shape[^3]))
            throw new ArgumentException($"Found images of shape {Shape.Of(images)}, expected [..., {(values.Count == 1 ? "C" : values.Count)}, H, W].", nameof(images));
        return tensor(values.ToArray(), images.dtype, images.device).reshape(values.Count, 1, 1);
    }
}
