using TorchSharp.Modules;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>
/// DeiT: a Vision Transformer with a second token that learns from a teacher as the class token learns from the labels
/// (arXiv:2012.12877, section 4).
/// </summary>
/// <remarks>The fields carry timm's names, so that its checkpoints fit.</remarks>
public sealed class DistilledVisionTransformer : nn.Module<Tensor, Tensor>
{
    /// <summary>Images to vectors.</summary>
    public readonly PatchEmbedding patch_embed;

    /// <summary>What the class is read from.</summary>
    public readonly ClassToken cls_token;

    /// <summary>What the teacher's answer is read from.</summary>
    public readonly ClassToken dist_token;

    /// <summary>Of both tokens and the patches.</summary>
    public readonly PositionEmbedding pos_embed;

    /// <summary>The encoder.</summary>
    public readonly ModuleList<EncoderBlock> blocks;

    /// <summary>After the last block, of every token.</summary>
    public readonly LayerNorm norm;

    /// <summary>Of the class token; weight [K, D].</summary>
    public readonly Linear head;

    /// <summary>Of the distillation token; weight [K, D].</summary>
    public readonly Linear head_dist;

    /// <summary>What the model was made from.</summary>
    public VisionTransformerConfig Config { get; }

    /// <summary>DeiT-Ti/16 (Table 1), with its distillation token.</summary>
    public static VisionTransformerConfig DeiTTi16 => VisionTransformerConfig.Ti16;

    /// <summary>DeiT-S/16 (Table 1), with its distillation token.</summary>
    public static VisionTransformerConfig DeiTS16 => VisionTransformerConfig.S16;

    /// <summary>DeiT-B/16 (Table 1), with its distillation token.</summary>
    public static VisionTransformerConfig DeiTB16 => VisionTransformerConfig.B16;

    /// <summary>Creates the model with fresh weights.</summary>
    /// <param name="config">As of the Vision Transformer without distillation; its tokens count the class token alone.</param>
    /// <exception cref="ArgumentException">The parts do not fit one another, or the configuration asks for what DeiT does not have.</exception>
    public DistilledVisionTransformer(VisionTransformerConfig config) : base(nameof(DistilledVisionTransformer))
    {
        config.Check();
        if (config.Pooling != Pooling.ClassToken || config.RegisterTokens > 0 || config.PatchPositionsOnly || config.PreLogitsWidth is not null || config.Positions == PositionKind.None)
            throw new ArgumentException("A distilled Vision Transformer reads a class and a distillation token that have positions, and has no register tokens and no layer before its heads.", nameof(config));
        Config = config;
        var width = config.Width;
        patch_embed = new PatchEmbedding(config.Channels, config.PatchSize, width);
        cls_token = new ClassToken(width);
        dist_token = new ClassToken(width);
        pos_embed = new PositionEmbedding(config.Positions, config.GridRows, config.GridColumns, width, extraTokens: 2);
        blocks = [.. Enumerable.Range(0, config.Layers).Select(config.Block)];
        norm = nn.LayerNorm(width, config.LayerNormEpsilon);
        head = Initialization.Linear(width, config.Classes);
        head_dist = Initialization.Linear(width, config.Classes);
        Initialization.Zeros(head);
        Initialization.Zeros(head_dist);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>The mean of both heads' logits, [B, K].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Mean(Heads(images)).MoveToOuterDisposeScope();
    }

    /// <summary>Both heads, for training: the class token's against the labels, the distillation token's against the teacher.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K] each.</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public (Tensor Class, Tensor Distillation) Heads(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = Embed(Patch(images));
        foreach (var block in blocks)
            tokens = block.forward(tokens);
        var (@class, distillation) = Classify(norm.forward(tokens.slice(1, 0, 2, 1)));
        return (@class.MoveToOuterDisposeScope(), distillation.MoveToOuterDisposeScope());
    }

    /// <summary>The same logits as <see cref="forward"/>, with all that was computed on the way; the features are of both tokens, [B, 2, D].</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public VisionTransformerTrace Trace(Tensor images)
    {
        using var scope = NewDisposeScope();
        var patches = Patch(images);
        var embedded = Embed(patches);
        var traces = EncoderBlockTrace.Through(blocks, embedded);
        var features = norm.forward(traces[^1].Tokens.slice(1, 0, 2, 1));
        return new VisionTransformerTrace(patches, embedded, traces, features, Mean(Classify(features))).MoveOutOf(scope);
    }

    Tensor Patch(Tensor images)
    {
        Config.CheckImages(images);
        return patch_embed.forward(images);                                                    // [B, N, D]
    }

    /// <summary>[B, N, D] → [B, 2 + N, D], class token first.</summary>
    Tensor Embed(Tensor patches) => nn.functional.dropout(
        pos_embed.forward(cls_token.forward(dist_token.forward(patches))), Config.Dropout, training);

    (Tensor Class, Tensor Distillation) Classify(Tensor features) =>
        (head.forward(features.select(1, 0)), head_dist.forward(features.select(1, 1)));

    static Tensor Mean((Tensor Class, Tensor Distillation) heads) => (heads.Class + heads.Distillation) / 2;
}
