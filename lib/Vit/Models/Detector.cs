using Vit.Detection;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>A Vision Transformer that finds objects: an encoder's tokens, and a <see cref="BoxDecoder"/> whose queries look at them (DETR, arXiv:2005.12872, with patches in the place of its convolutions).</summary>
public sealed class Detector : nn.Module<Tensor, IReadOnlyList<BoxPredictions>>
{
    /// <summary>Images to tokens; it has no head.</summary>
    public readonly VisionTransformer encoder;

    /// <summary>Tokens to boxes.</summary>
    public readonly BoxDecoder decoder;

    /// <summary>Creates the model with fresh weights.</summary>
    /// <param name="config">The encoder; its classes are not read, its tokens are normalised one by one.</param>
    /// <param name="decoder">The decoder, of the encoder's width and grid.</param>
    /// <exception cref="ArgumentException">The parts do not fit one another.</exception>
    public Detector(VisionTransformerConfig config, BoxDecoderConfig decoder) : base(nameof(Detector))
    {
        if (decoder.Width != config.Width)
            throw new ArgumentException($"The decoder looks at tokens of the encoder's width {config.Width}, given was {decoder.Width}.", nameof(decoder));
        if ((decoder.GridRows, decoder.GridColumns) != (config.GridRows, config.GridColumns))
            throw new ArgumentException($"The decoder looks at the encoder's grid of {config.GridRows} × {config.GridColumns} tokens, given was one of {decoder.GridRows} × {decoder.GridColumns}.", nameof(decoder));
        if (config.ExtraTokens > 0)
            throw new ArgumentException($"The decoder looks at patches alone, but the encoder has {config.ExtraTokens} tokens in front of them: take mean pooling, and no class or register tokens.", nameof(config));
        encoder = new VisionTransformer(config with { Classes = 0, PreLogitsWidth = null });
        if (encoder.norm is null)
            throw new ArgumentException("Each token is read, so each is normalised: mean pooling takes NormBeforePooling.", nameof(config));
        this.decoder = new BoxDecoder(decoder);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>The answers after each of the decoder's blocks; the last ones count.</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override IReadOnlyList<BoxPredictions> forward(Tensor images)
    {
        using var tokens = encoder.ForwardFeatures(images);
        return decoder.call(tokens);
    }
}
