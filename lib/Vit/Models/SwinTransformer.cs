using TorchSharp.Modules;
using TorchSharp.Utils;
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
    /// <summary>Images to vectors, normalised.</summary>
    public readonly PatchEmbedding patch_embed;

    /// <summary>The stages.</summary>
    public readonly ModuleList<SwinStage> layers;

    /// <summary>After the last block.</summary>
    public readonly LayerNorm norm;

    /// <summary>Weight [K, D']; null without classes.</summary>
    [field: ComponentName(Name = nameof(head))]
    public Linear? head { get; private set; }

    /// <summary>What the model was made from.</summary>
    public SwinTransformerConfig Config { get; private set; }

    /// <summary>Creates the model with fresh weights: normal of deviation 0.02, biases and head 0.</summary>
    /// <exception cref="ArgumentException">The parts do not fit one another; the message says what does not.</exception>
    public SwinTransformer(SwinTransformerConfig config) : base(nameof(SwinTransformer))
    {
        if (config.Depths.Count == 0 || config.Depths.Count != config.Heads.Count)
            throw new ArgumentException($"There are {config.Depths.Count} depths and {config.Heads.Count} numbers of heads; each stage needs both.", nameof(config));
        if (config.Depths.Any(depth => depth < 1))
            throw new ArgumentException($"Each stage has at least one block, given were {string.Join(", ", config.Depths)}.", nameof(config));
        if (config.Classes < 0)
            throw new ArgumentException($"Classes is at least 0, given was {config.Classes}.", nameof(config));
        var coarsest = config.PatchSize << (config.Depths.Count - 1);
        if (config.PatchSize <= 0 || config.ImageHeight < coarsest || config.ImageHeight % coarsest != 0 || config.ImageWidth < coarsest || config.ImageWidth % coarsest != 0)
            throw new ArgumentException($"Images of {config.ImageHeight} × {config.ImageWidth} do not divide into the {coarsest} × {coarsest} pixels of the last stage's patches.", nameof(config));
        Config = config;
        patch_embed = new PatchEmbedding(config.Channels, config.PatchSize, config.Width, config.LayerNormEpsilon);
        layers = [.. Enumerable.Range(0, config.Depths.Count).Select(Stage)];
        var width = config.Width << (config.Depths.Count - 1);
        norm = nn.LayerNorm(width, config.LayerNormEpsilon);
        head = Initialization.Head(width, config.Classes);
        RegisterComponents();
        foreach (var linear in layers.modules().OfType<Linear>())
            Initialization.Normal(linear, 0.02);
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K]; without classes what the head would read, [B, D'].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return ForwardHead(ForwardFeatures(images)).MoveToOuterDisposeScope();
    }

    /// <summary>The grid after the last stage and the final LayerNorm.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, H', W', D'].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public Tensor ForwardFeatures(Tensor images)
    {
        using var scope = NewDisposeScope();
        var last = Config.Depths.Count - 1;
        return norm.call(Intermediates(images, [last])[0]).MoveToOuterDisposeScope();
    }

    /// <summary>What follows <see cref="ForwardFeatures"/>.</summary>
    /// <param name="tokens">[B, H', W', D'].</param>
    /// <param name="preLogits">Whether to stop before the head.</param>
    /// <returns>Logits, [B, K]; before the head the mean of the grid, [B, D'].</returns>
    public Tensor ForwardHead(Tensor tokens, bool preLogits = false)
    {
        using var scope = NewDisposeScope();
        var features = tokens.mean([1, 2]);
        return (preLogits || head is null ? features : head.call(features)).MoveToOuterDisposeScope();
    }

    /// <summary>The grids after some of the stages; what follows the last of them is not computed.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="stages">Which stages, counted from 0.</param>
    /// <returns>[B, H', W', D'] of each stage, in the order asked for.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such stage.</exception>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public IReadOnlyList<Tensor> Intermediates(Tensor images, IReadOnlyList<int> stages)
    {
        foreach (var stage in stages)
            if (stage < 0 || stage >= Config.Depths.Count)
                throw new ArgumentOutOfRangeException(nameof(stages), stage, $"The stages are numbered from 0 to {Config.Depths.Count - 1}.");
        using var scope = NewDisposeScope();
        var found = new Dictionary<int, Tensor>();
        var tokens = Embed(images);
        for (var stage = 0; stage <= stages.DefaultIfEmpty(-1).Max(); stage++)
        {
            tokens = layers[stage].call(tokens);
            if (stages.Contains(stage))
                found.Add(stage, tokens);
            scope.DisposeEverythingBut([tokens, .. found.Values]);
        }
        scope.MoveToOuter(found.Values);
        return [.. stages.Select(stage => found[stage])];
    }

    /// <summary>Gives the model a fresh head, zero as before fine-tuning.</summary>
    /// <param name="classes">K; 0 for no head.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public void ResetClassifier(int classes)
    {
        head = Initialization.ResetHead(this, nameof(head), Config.Width << (Config.Depths.Count - 1), classes);
        Config = Config with { Classes = classes };
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
        var features = norm.call(blocks[^1]).mean([1, 2]);
        var trace = new SwinTransformerTrace(blocks, features, head is null ? features : head.call(features));
        scope.MoveToOuter([features, trace.Logits, .. blocks]);
        return trace;
    }

    SwinStage Stage(int stage)
    {
        var config = Config;
        var (width, patch) = (config.Width << stage, config.PatchSize << stage);
        var (rows, columns) = (config.ImageHeight / patch, config.ImageWidth / patch);
        var (before, all) = (config.Depths.Take(stage).Sum(), config.Depths.Sum());
        return new SwinStage(
            stage == 0 ? null : new PatchMerging(width / 2, config.LayerNormEpsilon),
            Enumerable.Range(0, config.Depths[stage]).Select(block => new SwinBlock(
                width, config.Heads[stage], rows, columns, config.WindowSize, block % 2 == 0 ? 0 : config.WindowSize / 2,
                config.DropPath * (before + block) / Math.Max(1, all - 1), config.LayerNormEpsilon)));
    }

    /// <summary>[B, C, H, W] → [B, H / P, W / P, D].</summary>
    Tensor Embed(Tensor images)
    {
        if (images.dim() != 4 || images.shape[0] == 0 || images.shape[1] != Config.Channels || images.shape[2] != Config.ImageHeight || images.shape[3] != Config.ImageWidth)
            throw new ArgumentException(
                $"This model takes images [B, {Config.Channels}, {Config.ImageHeight}, {Config.ImageWidth}], given were {Shape.Of(images)}.", nameof(images));
        return patch_embed.call(images).reshape(images.shape[0], Config.ImageHeight / Config.PatchSize, -1, Config.Width);
    }
}
