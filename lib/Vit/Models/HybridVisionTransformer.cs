using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>
/// A Vision Transformer that reads the feature map of a ResNet instead of the image (arXiv:2010.11929, section 3.1,
/// "Hybrid Architecture").
/// </summary>
public sealed class HybridVisionTransformer : nn.Module<Tensor, Tensor>
{
    /// <summary>Images to a map of features.</summary>
    public readonly ResNetStem stem;

    /// <summary>The map to logits.</summary>
    public readonly VisionTransformer encoder;

    /// <summary>What the model was made from.</summary>
    public HybridVisionTransformerConfig Config { get; private set; }

    /// <summary>Creates the model with fresh weights.</summary>
    /// <exception cref="ArgumentException">The image does not divide by the stem's stride, or its map into patches.</exception>
    public HybridVisionTransformer(HybridVisionTransformerConfig config) : base(nameof(HybridVisionTransformer))
    {
        Config = config;
        var (image, stages, stride) = (config.Encoder, config.Stages.Count, ResNetStem.StrideOf(config.Stages.Count));
        if (image.ImageHeight % stride != 0 || image.ImageWidth % stride != 0)
            throw new ArgumentException($"Images of {image.ImageHeight} × {image.ImageWidth} do not divide by the stem's stride of {stride}.", nameof(config));
        stem = new ResNetStem(image.Channels, config.Stages);
        encoder = new VisionTransformer(image with
        {
            ImageHeight = image.ImageHeight / stride,
            ImageWidth = image.ImageWidth / stride,
            Channels = ResNetStem.ChannelsOf(stages),
        });
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return encoder.call(Stem(images)).MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="VisionTransformer.ForwardFeatures(Tensor)"/>; what follows is the encoder's <see cref="VisionTransformer.ForwardHead"/>.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, T, D].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public Tensor ForwardFeatures(Tensor images)
    {
        using var features = Stem(images);
        return encoder.ForwardFeatures(features);
    }

    /// <summary>As <see cref="VisionTransformer.ResetClassifier"/>.</summary>
    /// <param name="classes">K; 0 for no head.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public void ResetClassifier(int classes)
    {
        encoder.ResetClassifier(classes);
        Config = Config with { Encoder = Config.Encoder with { Classes = classes } };
    }

    /// <summary>The same logits, with all that the encoder computed on the way.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public VisionTransformerTrace Trace(Tensor images)
    {
        using var features = Stem(images);
        return encoder.Trace(features);
    }

    Tensor Stem(Tensor images)
    {
        Config.Encoder.CheckImages(images);
        return stem.call(images);
    }
}
