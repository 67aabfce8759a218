using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>An image whose patches are filled with their mean colour.</summary>
    /// <param name="mosaic">From images [B, 3, H, W] and the patch size to images.</param>
    public static string Mosaic(Func<Tensor, int, Tensor> mosaic)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var images = rand([1, 3, 224, 224], generator: generator);
        var yours = mosaic(images, 16);
        if (!yours.shape.SequenceEqual(images.shape))
            return $"Not yet: the shape is {Shape.Of(yours)}.";
        if (Same(yours, images))
            return "Not yet: the image has come back as it was.";
        if (Same(yours, nn.functional.interpolate(nn.functional.avg_pool2d(images, 16), scale_factor: [16, 16])))
            return "Right: every patch has one colour.";
        return Same(yours.mean(), images.mean())
            ? "Not yet: the mean of the whole image is right. Did each channel keep its own mean?"
            : "Not yet: the mean of the whole image changed, so some patch lost its mean.";
    }

    /// <summary>Patches that overlap.</summary>
    /// <param name="cut">From images [B, C, H, W], the patch size P and the stride S to patches [B, N, C · P · P].</param>
    public static string CutOverlapping(Func<Tensor, int, int, Tensor> cut)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var images = rand([1, 3, 224, 224], generator: generator);
        var expected = nn.functional.unfold(images, kernel_size: 16, stride: 8).transpose(1, 2);
        var yours = cut(images, 16, 8);
        if (Same(yours, nn.functional.unfold(images, kernel_size: 16, stride: 16).transpose(1, 2)))
            return "Not yet: 196 patches, and none overlaps another.";
        if (yours.dim() != 3 || yours.shape[1] != expected.shape[1])
            return $"Not yet: {(yours.dim() == 3 ? $"{yours.shape[1]} patches" : $"the shape is {Shape.Of(yours)}")}; windows start at 0, 8, 16, … as long as they fit.";
        if (yours.shape[2] != expected.shape[2])
            return $"Not yet: each patch has {yours.shape[2]} numbers, not C · P · P.";
        return Same(yours, expected)
            ? "Right: 27 × 27 patches, each sharing half of itself with the next."
            : "Not yet: the shape is right, the order is not. Inside a patch it is channel, row, column.";
    }
}
