using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>The basic block of a ResNet: two 3 × 3 convolutions with batch normalisation beside a residual (arXiv:1512.03385, Fig. 2).</summary>
public sealed class BasicBlock : nn.Module<Tensor, Tensor>
{
    /// <summary>With the stride; weight [out, in, 3, 3].</summary>
    public readonly Conv2d conv1;

    /// <summary>After <see cref="conv1"/>.</summary>
    public readonly BatchNorm2d bn1;

    /// <summary>Weight [out, out, 3, 3].</summary>
    public readonly Conv2d conv2;

    /// <summary>After <see cref="conv2"/>.</summary>
    public readonly BatchNorm2d bn2;

    /// <summary>The shortcut's, 1 × 1, where width or resolution change.</summary>
    public readonly Conv2d? conv_proj;

    /// <summary>After <see cref="conv_proj"/>.</summary>
    public readonly BatchNorm2d? bn_proj;

    /// <summary>Creates the layers.</summary>
    /// <param name="input">Channels in.</param>
    /// <param name="output">Channels out.</param>
    /// <param name="stride">In pixels.</param>
    public BasicBlock(int input, int output, int stride) : base(nameof(BasicBlock))
    {
        conv1 = Conv(input, output, 3, stride);
        bn1 = nn.BatchNorm2d(output);
        conv2 = Conv(output, output, 3, 1);
        bn2 = nn.BatchNorm2d(output);
        if (input != output || stride != 1)
            (conv_proj, bn_proj) = (Conv(input, output, 1, stride), nn.BatchNorm2d(output));
        RegisterComponents();
    }

    /// <param name="images">[B, in, H, W].</param>
    /// <returns>[B, out, ⌈H / stride⌉, ⌈W / stride⌉].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var shortcut = conv_proj is null ? images : bn_proj!.call(conv_proj.call(images));
        var hidden = bn1.call(conv1.call(images)).relu();
        return (shortcut + bn2.call(conv2.call(hidden))).relu().MoveToOuterDisposeScope();
    }

    /// <summary>A convolution before a batch normalisation, which has the bias.</summary>
    internal static Conv2d Conv(int input, int output, int size, int stride)
    {
        var conv = nn.Conv2d(input, output, kernel_size: size, stride: stride, padding: size / 2, bias: false);
        nn.init.kaiming_normal_(conv.weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        return conv;
    }
}
