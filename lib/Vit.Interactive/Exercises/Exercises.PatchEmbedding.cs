using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Two filters: the mean of a patch, and red less blue.</summary>
    /// <param name="handmade">Gives [2, 3, 16, 16].</param>
    public static string HandmadeFilters(Func<Tensor> handmade)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var filters = handmade();
        if (!filters.shape.SequenceEqual([2, 3, 16, 16]))
            return WrongShape(filters, "[2, 3, 16, 16]");
        var images = rand([4, 3, 32, 48], generator: generator);
        var tokens = nn.functional.conv2d(images, filters, strides: [16, 16]).flatten(2).transpose(1, 2);    // [4, 6, 2]
        var byChannel = Patches.Cut(images, 16).reshape(4, 6, 3, 256).mean([3]);                              // [4, 6, 3]
        bool Is(int filter, Tensor expected, double factor = 1) =>
            Same(tokens.select(2, filter), factor * expected, 1e-5 * Math.Max(1, factor));
        var (mean, redLessBlue) = (byChannel.mean([2]), byChannel.select(2, 0) - byChannel.select(2, 2));
        if (Is(0, mean, 768) || Is(0, mean, 3))
            return "Not yet: number 0 is a sum; a mean divides by all 768 numbers.";
        if (!Is(0, mean))
            return "Not yet: number 0 is not the mean. All its weights are equal.";
        if (Is(1, redLessBlue))
            return "Right: two weighted sums, and each can be read.";
        if (Is(1, redLessBlue, 256))
            return "Not yet: number 1 is a difference of sums; a mean divides by the 256 pixels of its channel.";
        if (Is(1, -redLessBlue))
            return "Not yet: number 1 has its sign the wrong way round.";
        return Is(1, redLessBlue, 1.0 / 3)
            ? "Not yet: a channel of the patch has 256 pixels, not 768."
            : "Not yet: in number 1, red weighs positive, green nothing, blue negative.";
    }

    /// <summary>The weight of a projection of patches with their channel last, as that of a convolution.</summary>
    /// <param name="toConvolution">From [D, P · P · C], C and P to [D, C, P, P].</param>
    public static string ToConvolution(Func<Tensor, int, int, Tensor> toConvolution)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var (weight, images) = (randn([5, 4 * 4 * 3], generator: generator), rand([2, 3, 8, 12], generator: generator));
        var channelLast = images.reshape(2, 3, 2, 4, 3, 4).permute(0, 2, 4, 3, 5, 1).reshape(2, 6, 4 * 4 * 3);    // [B, N, P · P · C]
        var expected = channelLast.matmul(weight.t());
        var yours = toConvolution(weight, 3, 4);
        if (!yours.shape.SequenceEqual([5, 3, 4, 4]))
            return WrongShape(yours, "[D, C, P, P]");
        bool Gives(Tensor kernels) =>
            Same(nn.functional.conv2d(images, kernels, strides: [4, 4]).flatten(2).transpose(1, 2), expected, 1e-4);
        if (Gives(yours))
            return "Right: first give the numbers their true order, then move the channel.";
        if (Gives(yours.transpose(2, 3)))
            return "Not yet: rows and columns are exchanged.";
        return Same(yours, weight.reshape(5, 3, 4, 4))
            ? "Not yet: reshape alone reads the first P · P numbers as the first channel, but they are not."
            : "Not yet: what do the numbers mean, in their order? Reshape to [D, P, P, C], then permute.";
    }
}
