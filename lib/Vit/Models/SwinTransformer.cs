using TorchSharp.Modules;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>
/// Swin: attention within small windows, shifted from block to block, on a grid that gets coarser from stage to stage
/// (arXiv:2103.14030).
/// </summary>
/// <remarks>The fields carry timm's names, so that its checkpoints fit.</remarks>
public sealed class SwinTransformer : nn.Module<Tensor, Tensor>
{
    /// <summary>Images to a grid of vectors.</summary>
    public readonly NormedPatchEmbedding patch_embed;

    /// <summary>The stages.</summary>
    public readonly ModuleList<SwinStage> layers;

    /// <summary>After the last block.</summary>
    public readonly LayerNorm norm;

    /// <summary>Weight [K, D'].</summary>
    public readonly Linear head;

    /// <summary>What the model was made from.</summary>
    public SwinTransformerConfig Config { get; }

    /// <summary>Creates the model with fresh weights: normal of deviation 0.02, biases and head 0.</summary>
    /// <exception cref="ArgumentException">The parts do not fit one another; the message says what does not.</exception>
    public SwinTransformer(SwinTransformerConfig config) : base(nameof(SwinTransformer))
    {
        if (config.Depths.Count == 0 || config.Depths.Count != config.Heads.Count)
            throw new ArgumentException($"There are {config.Depths.Count} depths and {config.Heads.Count} numbers of heads; each stage needs both.", nameof(config));
        var coarsest = config.PatchSize << (config.Depths.Count - 1);
        if (config.PatchSize <= 0 || config.ImageHeight < coarsest || config.ImageHeight % coarsest != 0 || config.ImageWidth < coarsest || config.ImageWidth % coarsest != 0)
            throw new ArgumentException($"Images of {config.ImageHeight} × {config.ImageWidth} do not divide into the {coarsest} × {coarsest} pixels of the last stage's patches.", nameof(config));
        Config = config;
        patch_embed = new NormedPatchEmbedding(config.Channels, config.PatchSize, config.Width, config.LayerNormEpsilon);
        layers = [.. Enumerable.Range(0, config.Depths.Count).Select(Stage)];
        var width = config.Width << (config.Depths.Count - 1);
        norm = nn.LayerNorm(width, config.LayerNormEpsilon);
        head = Initialization.Linear(width, config.Classes);
        RegisterComponents();
        foreach (var linear in modules().OfType<Linear>())
            Initialization.Normal(linear, 0.02);
        Initialization.Zeros(head);
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = Embed(images);
        foreach (var stage in layers)
            tokens = stage.forward(tokens);
        return head.forward(Pool(tokens)).MoveToOuterDisposeScope();
    }

    /// <summary>The same logits, with what every block computed.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public SwinTransformerTrace Trace(Tensor images)
    {
        using var scope = NewDisposeScope();
        var embedded = Embed(images);
        var blocks = new List<Tensor>();
        foreach (var stage in layers)
            blocks.AddRange(stage.Trace(blocks.Count == 0 ? embedded : blocks[^1]));
        var features = Pool(blocks[^1]);
        var trace = new SwinTransformerTrace(blocks, features, head.forward(features));
        scope.MoveToOuter([features, trace.Logits, .. blocks]);
        return trace;
    }

    SwinStage Stage(int stage)
    {
        var config = Config;
        var (width, patch) = (config.Width << stage, config.PatchSize << stage);
        var (rows, columns) = (config.ImageHeight / patch, config.ImageWidth / patch);
        // A grid no larger than a window is one window, and there is nothing to shift.
        var window = Math.Min(config.WindowSize, Math.Min(rows, columns));
        var shift = Math.Min(rows, columns) > window ? window / 2 : 0;
        var (before, all) = (config.Depths.Take(stage).Sum(), config.Depths.Sum());
        return new SwinStage(
            stage == 0 ? null : new PatchMerging(width / 2, config.LayerNormEpsilon),
            Enumerable.Range(0, config.Depths[stage]).Select(block => new SwinBlock(
                width, config.Heads[stage], rows, columns, window, block % 2 == 0 ? 0 : shift,
                config.DropPath * (before + block) / Math.Max(1, all - 1), config.LayerNormEpsilon)));
    }

    Tensor Embed(Tensor images)
    {
        if (images.dim() != 4 || images.shape[1] != Config.Channels || images.shape[2] != Config.ImageHeight || images.shape[3] != Config.ImageWidth)
            throw new ArgumentException(
                $"This model takes images [B, {Config.Channels}, {Config.ImageHeight}, {Config.ImageWidth}], given were {Shape.Of(images)}.", nameof(images));
        return patch_embed.forward(images);
    }

    Tensor Pool(Tensor tokens) => norm.forward(tokens).mean([1, 2]);
}
