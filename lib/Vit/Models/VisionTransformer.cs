using TorchSharp.Modules;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>The Vision Transformer (arXiv:2010.11929, Eq. 1–4).</summary>
/// <remarks>The fields carry timm's names, so that its checkpoints fit.</remarks>
public sealed class VisionTransformer : nn.Module<Tensor, Tensor>
{
    /// <summary>Images to vectors.</summary>
    public readonly PatchEmbedding patch_embed;

    /// <summary>Null with mean pooling.</summary>
    public readonly ClassToken? cls_token;

    /// <summary>Null where the model has none.</summary>
    public readonly RegisterTokens? reg_token;

    /// <summary>Null where the model has none.</summary>
    public readonly PositionEmbedding? pos_embed;

    /// <summary>The encoder.</summary>
    public readonly ModuleList<EncoderBlock> blocks;

    /// <summary>After the last block, of every token; null with mean pooling.</summary>
    public readonly LayerNorm? norm;

    /// <summary>After the mean; null without mean pooling.</summary>
    public readonly LayerNorm? fc_norm;

    /// <summary>The tanh layer before the head; null where the model has none.</summary>
    public readonly Linear? pre_logits;

    /// <summary>Weight [K, D].</summary>
    public readonly Linear head;

    /// <summary>What the model was made from.</summary>
    public VisionTransformerConfig Config { get; }

    /// <summary>The share of patches, chosen anew for each image, that the encoder does not see in training (arXiv:2208.07220).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The share is less than 0, or 1 and more.</exception>
    public double PatchDropout
    {
        get;
        set => field = value is >= 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The share of patches lies from 0 to below 1.");
    }

    /// <summary>Creates the model with fresh weights, initialised as in the paper's code.</summary>
    /// <exception cref="ArgumentException">The parts do not fit one another; the message says what would.</exception>
    public VisionTransformer(VisionTransformerConfig config) : base(nameof(VisionTransformer))
    {
        config.Check();
        Config = config;
        var width = config.Width;
        patch_embed = new PatchEmbedding(config.Channels, config.PatchSize, width);
        if (config.Pooling == Pooling.ClassToken)
            cls_token = new ClassToken(width);
        if (config.RegisterTokens > 0)
            reg_token = new RegisterTokens(config.RegisterTokens, width);
        if (config.Positions != PositionKind.None)
            pos_embed = new PositionEmbedding(
                config.Positions, config.GridRows, config.GridColumns, width, config.PatchPositionsOnly ? 0 : config.ExtraTokens);
        blocks = [.. Enumerable.Range(0, config.Layers).Select(config.Block)];
        if (config.Pooling == Pooling.Mean)
            fc_norm = nn.LayerNorm(width, config.LayerNormEpsilon);
        else
            norm = nn.LayerNorm(width, config.LayerNormEpsilon);
        if (config.PreLogitsWidth is int preLogitsWidth)
        {
            pre_logits = Initialization.Linear(width, preLogitsWidth);
            Initialization.XavierUniform(pre_logits);
        }
        head = Initialization.Linear(config.PreLogitsWidth ?? width, config.Classes);
        Initialization.Zeros(head);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K]; their softmax gives class probabilities.</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Classify(Features(images)).MoveToOuterDisposeScope();
    }

    /// <summary>What the head reads: the image in D numbers.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, D] (y in Eq. 4).</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public Tensor Features(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = Embed(Patch(images));
        foreach (var block in blocks)
            tokens = block.forward(tokens);
        return Pool(tokens).MoveToOuterDisposeScope();
    }

    /// <summary>The same logits, with all that was computed on the way.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public VisionTransformerTrace Trace(Tensor images)
    {
        using var scope = NewDisposeScope();
        var patches = Patch(images);
        var embedded = Embed(patches);
        var traces = EncoderBlockTrace.Through(blocks, embedded);
        var features = Pool(traces[^1].Tokens);
        return new VisionTransformerTrace(patches, embedded, traces, features, Classify(features)).MoveOutOf(scope);
    }

    Tensor Patch(Tensor images)
    {
        Config.CheckImages(images);
        return patch_embed.forward(images);              // [B, N, D]
    }

    /// <summary>Tokens in front, positions added (Eq. 1).</summary>
    Tensor Embed(Tensor tokens)
    {
        if (Config.PatchPositionsOnly && pos_embed is not null)
            tokens = pos_embed.forward(tokens);
        if (reg_token is not null)
            tokens = reg_token.forward(tokens);          // [B, R + N, D]
        if (cls_token is not null)
            tokens = cls_token.forward(tokens);          // [B, T, D]
        if (!Config.PatchPositionsOnly && pos_embed is not null)
            tokens = pos_embed.forward(tokens);
        if (training && PatchDropout > 0)
            tokens = DropPatches(tokens);                // [B, fewer, D]
        return nn.functional.dropout(tokens, Config.Dropout, training);
    }

    Tensor DropPatches(Tensor tokens)
    {
        int extra = Config.ExtraTokens, patches = Config.Tokens - extra, kept = Math.Max(1, (int)Math.Round(patches * (1 - PatchDropout)));
        var chosen = extra + rand(tokens.shape[0], patches, device: tokens.device).argsort(-1).slice(1, 0, kept, 1);
        var index = chosen.unsqueeze(-1).expand(-1, -1, Config.Width);
        return cat([tokens.slice(1, 0, extra, 1), tokens.gather(1, index)], 1);
    }

    /// <summary>[B, T, D] → [B, D] (Eq. 4).</summary>
    Tensor Pool(Tensor tokens) => norm is not null
        ? norm.forward(tokens.select(1, 0))
        : fc_norm!.forward(tokens.slice(1, Config.ExtraTokens, Config.Tokens, 1).mean([1]));

    Tensor Classify(Tensor features) =>
        head.forward(pre_logits is null ? features : pre_logits.forward(features).tanh());
}
