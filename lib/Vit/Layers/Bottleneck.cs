using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>The bottleneck of a ResNet, with group normalisation and standardised kernels (arXiv:1912.11370).</summary>
public sealed class Bottleneck : nn.Module<Tensor, Tensor>
{
    const int Groups = 32;

    /// <summary>1 × 1, to the narrow width.</summary>
    public readonly StandardizedConv2d conv1;

    /// <summary>After <see cref="conv1"/>.</summary>
    public readonly GroupNorm gn1;

    /// <summary>3 × 3, with the stride.</summary>
    public readonly StandardizedConv2d conv2;

    /// <summary>After <see cref="conv2"/>.</summary>
    public readonly GroupNorm gn2;

    /// <summary>1 × 1, to four times the narrow width.</summary>
    public readonly StandardizedConv2d conv3;

    /// <summary>After <see cref="conv3"/>; starts at 0, so that the unit starts as its shortcut.</summary>
    public readonly GroupNorm gn3;

    /// <summary>The shortcut's, where width or resolution change.</summary>
    public readonly StandardizedConv2d? conv_proj;

    /// <summary>After <see cref="conv_proj"/>.</summary>
    public readonly GroupNorm? gn_proj;

    /// <summary>Creates the layers.</summary>
    /// <param name="input">Channels in.</param>
    /// <param name="width">The narrow width; four times as many channels come out.</param>
    /// <param name="stride">In pixels.</param>
    public Bottleneck(int input, int width, int stride) : base(nameof(Bottleneck))
    {
        conv1 = new StandardizedConv2d(input, width, 1);
        gn1 = Norm(width);
        conv2 = new StandardizedConv2d(width, width, 3, stride);
        gn2 = Norm(width);
        conv3 = new StandardizedConv2d(width, 4 * width, 1);
        gn3 = Norm(4 * width);
        nn.init.zeros_(gn3.weight);
        if (input != 4 * width || stride != 1)
            (conv_proj, gn_proj) = (new StandardizedConv2d(input, 4 * width, 1, stride), Norm(4 * width));
        RegisterComponents();
    }

    /// <param name="images">[B, in, H, W].</param>
    /// <returns>[B, 4 · width, ⌈H / stride⌉, ⌈W / stride⌉].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var shortcut = conv_proj is null ? images : gn_proj!.call(conv_proj.call(images));
        var hidden = gn1.call(conv1.call(images)).relu();
        hidden = gn2.call(conv2.call(hidden)).relu();
        return (shortcut + gn3.call(conv3.call(hidden))).relu().MoveToOuterDisposeScope();
    }

    /// <summary>TorchSharp 0.107's GroupNorm leaves its factors and offsets as it finds the memory.</summary>
    internal static GroupNorm Norm(int channels)
    {
        var norm = nn.GroupNorm(Groups, channels, eps: 1e-6);
        nn.init.ones_(norm.weight);
        nn.init.zeros_(norm.bias);
        return norm;
    }
}
