using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Moves each channel of an image to mean 0 and standard deviation 1, as the weights at hand were trained.</summary>
/// <param name="Mean">One value for each channel, or one for all.</param>
/// <param name="Std">As many as <paramref name="Mean"/>.</param>
public sealed record Normalization(IReadOnlyList<float> Mean, IReadOnlyList<float> Std)
{
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
