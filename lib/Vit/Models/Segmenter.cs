using TorchSharp.Modules;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>
/// A Vision Transformer that says of each pixel what it belongs to: one linear layer turns each patch's token into the logits
/// of its P · P pixels.
/// </summary>
/// <remarks>
/// The head is Segmenter's linear decoder (arXiv:2105.05633, section 3.2) with one difference: that gives K numbers for a
/// patch, which are then enlarged to P × P pixels; this one gives all K · P · P.
/// </remarks>
public sealed class Segmenter : nn.Module<Tensor, Tensor>
{
    /// <summary>Images to tokens; it has no head.</summary>
    public readonly VisionTransformer encoder;

    /// <summary>Weight [K · P · P, D].</summary>
    public readonly Linear head;

    /// <summary>What the model was made from; its classes are those of a pixel.</summary>
    public VisionTransformerConfig Config { get; }

    /// <summary>Creates the model with fresh weights; its head starts at zero.</summary>
    /// <param name="config">K classes for each pixel, 1 for a mask; class and register tokens are not read.</param>
    /// <exception cref="ArgumentException">There are no classes, the tokens are not normalised, or the parts do not fit one another.</exception>
    public Segmenter(VisionTransformerConfig config) : base(nameof(Segmenter))
    {
        if (config.Classes < 1)
            throw new ArgumentException($"A pixel has at least 1 class, given were {config.Classes}.", nameof(config));
        encoder = new VisionTransformer(config with { Classes = 0, PreLogitsWidth = null });
        if (encoder.norm is null)
            throw new ArgumentException("Each token is read, so each is normalised: mean pooling takes NormBeforePooling.", nameof(config));
        Config = config;
        head = Initialization.Head(config.Width, config.Classes * config.PatchSize * config.PatchSize)!;
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K, H, W].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = encoder.ForwardFeatures(images);                                         // [B, T, D]
        var patches = tokens.slice(1, Config.ExtraTokens, Config.Tokens, 1);                  // [B, N, D]
        var logits = head.call(patches);                                                      // [B, N, K · P · P]
        return Patches.Assemble(logits, Config.PatchSize, Config.ImageHeight, Config.ImageWidth).MoveToOuterDisposeScope();
    }
}
