using TorchSharp.Modules;
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
    public readonly ModuleList<ConvBlock> blocks;

    /// <summary>Weight [K, D'].</summary>
    public readonly Linear head;

    /// <summary>What the model was made from.</summary>
    public ConvNetConfig Config { get; }

    /// <summary>Creates the model with fresh weights.</summary>
    /// <exception cref="ArgumentException">A number of the configuration is not positive, or a width no multiple of 16.</exception>
    public ConvNet(ConvNetConfig config) : base(nameof(ConvNet))
    {
        if (config.Channels <= 0 || config.Blocks <= 0 || config.Classes <= 0 || config.Widths.Count == 0)
            throw new ArgumentException($"Channels, blocks, classes and stages are at least 1, given were {config.Channels}, {config.Blocks}, {config.Classes} and {config.Widths.Count}.", nameof(config));
        if (config.Widths.Any(width => width <= 0 || width % ConvNetConfig.WidthStep != 0))
            throw new ArgumentException($"Widths are multiples of {ConvNetConfig.WidthStep}, given were {string.Join(", ", config.Widths)}.", nameof(config));
        Config = config;
        conv = ConvBlock.Conv(config.Channels, config.Widths[0], 3, 1);
        bn = nn.BatchNorm2d(config.Widths[0]);
        blocks = [];
        var input = config.Widths[0];
        for (var stage = 0; stage < config.Widths.Count; stage++)
            for (var block = 0; block < config.Blocks; block++)
            {
                blocks.Add(new ConvBlock(input, config.Widths[stage], stride: block == 0 && stage > 0 ? 2 : 1));
                input = config.Widths[stage];
            }
        head = Initialization.Linear(input, config.Classes);
        Initialization.Zeros(head);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W], of any size.</param>
    /// <returns>Logits, [B, K].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var features = bn.forward(conv.forward(images)).relu();
        foreach (var block in blocks)
            features = block.forward(features);                  // [B, D', H', W']
        return head.forward(features.mean([2, 3])).MoveToOuterDisposeScope();
    }
}
