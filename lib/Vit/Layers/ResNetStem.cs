using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>The part of a ResNet before its head, as the paper's hybrids use it (arXiv:2010.11929, section 3.1, "Hybrid Architecture").</summary>
public sealed class ResNetStem : nn.Module<Tensor, Tensor>
{
    const int Width = 64;

    /// <summary>7 × 7, stride 2.</summary>
    public readonly StandardizedConv2d conv_root;

    /// <summary>After <see cref="conv_root"/>.</summary>
    public readonly GroupNorm gn_root;

    /// <summary>All units, stage after stage.</summary>
    public readonly ModuleList<Bottleneck> units;

    /// <summary>Creates the layers.</summary>
    /// <param name="channels">C.</param>
    /// <param name="stages">The units of each stage; none for the root alone.</param>
    public ResNetStem(int channels, IReadOnlyList<int> stages) : base(nameof(ResNetStem))
    {
        conv_root = new StandardizedConv2d(channels, Width, 7, stride: 2);
        gn_root = Bottleneck.Norm(Width);
        units = [];
        for (var stage = 0; stage < stages.Count; stage++)
            for (var unit = 0; unit < stages[stage]; unit++)
                units.Add(new Bottleneck(
                    unit > 0 ? ChannelsOf(stage + 1) : ChannelsOf(stage), Width << stage, stride: unit == 0 && stage > 0 ? 2 : 1));
        RegisterComponents();
    }

    /// <summary>The channels that come out after a number of stages.</summary>
    public static int ChannelsOf(int stages) => stages == 0 ? Width : 4 * Width << (stages - 1);

    /// <summary>How many pixels of the image make one of the output after a number of stages.</summary>
    public static int StrideOf(int stages) => 4 << Math.Max(0, stages - 1);

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, C', H / s, W / s], s = <see cref="StrideOf"/>.</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var features = gn_root.call(conv_root.call(images)).relu();
        // Nothing is below 0 after the ReLU, so zeros around do not win the maximum.
        features = nn.functional.max_pool2d(StandardizedConv2d.Padded(features, 3, 2), kernel_size: 3, stride: 2);
        foreach (var unit in units)
            features = scope.DisposeEverythingBut(unit.call(features));
        return features.MoveToOuterDisposeScope();
    }
}
