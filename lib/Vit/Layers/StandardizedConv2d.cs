using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>A convolution whose kernels have mean 0 and deviation 1 (weight standardisation, arXiv:1903.10520), padded so that only the stride shrinks the image.</summary>
public sealed class StandardizedConv2d : nn.Module<Tensor, Tensor>
{
    readonly int size, stride;

    /// <summary>[out, in, size, size], before it is standardised.</summary>
    public readonly Parameter weight;

    /// <summary>Creates the kernels, LeCun normal.</summary>
    /// <param name="input">Channels in.</param>
    /// <param name="output">Channels out.</param>
    /// <param name="size">The side of a kernel.</param>
    /// <param name="stride">In pixels.</param>
    public StandardizedConv2d(int input, int output, int size, int stride = 1) : base(nameof(StandardizedConv2d))
    {
        (this.size, this.stride) = (size, stride);
        weight = nn.Parameter(empty(output, input, size, size));
        Initialization.LecunNormal(weight, fanIn: input * size * size);
        RegisterComponents();
    }

    /// <param name="images">[B, in, H, W].</param>
    /// <returns>[B, out, ⌈H / stride⌉, ⌈W / stride⌉].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var centred = weight - weight.mean([1, 2, 3], keepdim: true);
        var standardized = centred / (centred.square().mean([1, 2, 3], keepdim: true).sqrt() + 1e-5);
        return nn.functional.conv2d(Padded(images, size, stride), standardized, strides: [stride, stride]).MoveToOuterDisposeScope();
    }

    /// <summary>Zeros around, one more at the end where they do not divide, as TensorFlow and JAX call SAME.</summary>
    internal static Tensor Padded(Tensor images, int size, int stride)
    {
        var (top, bottom) = Padding(images.shape[2]);
        var (left, right) = Padding(images.shape[3]);
        return nn.functional.pad(images, [left, right, top, bottom]);

        (long Before, long After) Padding(long length)
        {
            var all = Math.Max(0, ((length + stride - 1) / stride - 1) * stride + size - length);
            return (all / 2, all - all / 2);
        }
    }
}
