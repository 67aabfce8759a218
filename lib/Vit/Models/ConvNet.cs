using TorchSharp.Modules;
using TorchSharp.Utils;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>A small residual network with batch normalisation (arXiv:1512.03385): what a Vision Transformer is compared with, and learns from.</summary>
public sealed class ConvNet : nn.Module<Tensor, Tensor>
{
    /// <summary>3 × 3, to the first stage's width.</summary>
    public readonly Conv2d conv;

    /// <summary>After <see cref="conv"/>.</summary>
    public readonly BatchNorm2d bn;

    /// <summary>All blocks, stage after stage.</summary>
    public readonly ModuleList<BasicBlock> blocks;

    /// <summary>Weight [K, D']; null without classes.</summary>
    [field: ComponentName(Name = nameof(head))]
    public Linear? head { get; private set; }

    /// <summary>What the model was made from.</summary>
    public ConvNetConfig Config { get; private set; }

    /// <summary>Creates the model with fresh weights.</summary>
    /// <exception cref="ArgumentException">A number of the configuration is not positive, or a width no multiple of 16.</exception>
    public ConvNet(ConvNetConfig config) : base(nameof(ConvNet))
    {
        if (config.Channels <= 0 || config.Blocks <= 0 || config.Classes < 0 || config.Widths.Count == 0)
            throw new ArgumentException($"Channels, blocks and stages are at least 1 and classes 0, given were {config.Channels}, {config.Blocks}, {config.Widths.Count} and {config.Classes}.", nameof(config));
        if (config.Widths.Any(width => width <= 0 || width % ConvNetConfig.WidthStep != 0))
            throw new ArgumentException($"Widths are multiples of {ConvNetConfig.WidthStep}, given were {string.Join(", ", config.Widths)}.", nameof(config));
        Config = config;
        conv = BasicBlock.Conv(config.Channels, config.Widths[0], 3, 1);
        bn = nn.BatchNorm2d(config.Widths[0]);
        blocks = [];
        var input = config.Widths[0];
        for (var stage = 0; stage < config.Widths.Count; stage++)
            for (var block = 0; block < config.Blocks; block++)
            {
                blocks.Add(new BasicBlock(input, config.Widths[stage], stride: block == 0 && stage > 0 ? 2 : 1));
                input = config.Widths[stage];
            }
        head = Initialization.Head(input, config.Classes);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W], of any size.</param>
    /// <returns>Logits, [B, K]; without classes what the head would read, [B, D'].</returns>
    /// <exception cref="ArgumentException">There are no images, or they have other channels.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return ForwardHead(ForwardFeatures(images)).MoveToOuterDisposeScope();
    }

    /// <summary>The map after the last block.</summary>
    /// <param name="images">[B, C, H, W], of any size.</param>
    /// <returns>[B, D', H', W'].</returns>
    /// <exception cref="ArgumentException">There are no images, or they have other channels.</exception>
    public Tensor ForwardFeatures(Tensor images)
    {
        if (images.dim() != 4 || images.shape[0] == 0 || images.shape[1] != Config.Channels)
            throw new ArgumentException($"This model takes images [B, {Config.Channels}, H, W], given were {Shape.Of(images)}.", nameof(images));
        using var scope = NewDisposeScope();
        var features = scope.DisposeEverythingBut(bn.call(conv.call(images)).relu());
        foreach (var block in blocks)
            features = scope.DisposeEverythingBut(block.call(features));
        return features.MoveToOuterDisposeScope();
    }

    /// <summary>What follows <see cref="ForwardFeatures"/>.</summary>
    /// <param name="features">[B, D', H', W'].</param>
    /// <param name="preLogits">Whether to stop before the head.</param>
    /// <returns>Logits, [B, K]; before the head the mean of the map, [B, D'].</returns>
    public Tensor ForwardHead(Tensor features, bool preLogits = false)
    {
        using var scope = NewDisposeScope();
        var mean = features.mean([2, 3]);
        return (preLogits || head is null ? mean : head.call(mean)).MoveToOuterDisposeScope();
    }

    /// <summary>Gives the model a fresh head, zero as before fine-tuning.</summary>
    /// <param name="classes">K; 0 for no head.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public void ResetClassifier(int classes)
    {
        head = Initialization.ResetHead(this, nameof(head), Config.Widths[^1], classes);
        Config = Config with { Classes = classes };
    }
}
