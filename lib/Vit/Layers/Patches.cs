using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Cuts images into patches and puts them together again.</summary>
public static class Patches
{
    /// <summary>Cuts images into non-overlapping square patches, each flattened to one vector (section 3.1).</summary>
    /// <param name="images">[B, C, H, W]; H and W are multiples of P.</param>
    /// <param name="patchSize">P, in pixels.</param>
    /// <returns>[B, N, C · P · P], N = (H / P) · (W / P), row by row; within a patch channel, row, column.</returns>
    /// <exception cref="ArgumentException">The images have no four dimensions, or H or W is no multiple of P.</exception>
    public static Tensor Cut(Tensor images, int patchSize)
    {
        CheckImages(images, patchSize);
        var (B, C, H, W) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        using var scope = NewDisposeScope();
        return images
            .reshape(B, C, H / patchSize, patchSize, W / patchSize, patchSize)
            .permute(0, 2, 4, 1, 3, 5)
            .reshape(B, -1, C * patchSize * patchSize)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The inverse of <see cref="Cut"/>.</summary>
    /// <param name="patches">[B, N, C · P · P], as <see cref="Cut"/> orders them.</param>
    /// <param name="patchSize">P, in pixels.</param>
    /// <param name="height">H, in pixels.</param>
    /// <param name="width">W, in pixels.</param>
    /// <returns>[B, C, H, W].</returns>
    /// <exception cref="ArgumentException">N patches of this size make no image of H × W.</exception>
    public static Tensor Assemble(Tensor patches, int patchSize, int height, int width)
    {
        CheckPatchSize(patchSize);
        long rows = height / patchSize, columns = width / patchSize, area = (long)patchSize * patchSize;
        if (patches.dim() != 3 || patches.shape[1] != rows * columns || patches.shape[2] % area != 0
            || height % patchSize != 0 || width % patchSize != 0)
            throw new ArgumentException(
                $"An image of {height} × {width} in patches of {patchSize} takes [B, {rows * columns}, C · {area}], "
                + $"given were {Shape.Of(patches)}.", nameof(patches));
        using var scope = NewDisposeScope();
        return patches
            .reshape(patches.shape[0], rows, columns, -1, patchSize, patchSize)
            .permute(0, 3, 1, 4, 2, 5)
            .reshape(patches.shape[0], -1, height, width)
            .MoveToOuterDisposeScope();
    }

    internal static void CheckImages(Tensor images, int patchSize)
    {
        CheckPatchSize(patchSize);
        if (images.dim() != 4 || images.shape[0] == 0)
            throw new ArgumentException(
                $"Images are [B, C, H, W], at least one, given were {Shape.Of(images)}; unsqueeze(0) makes a batch of one image.", nameof(images));
        long H = images.shape[2], W = images.shape[3];
        if (H == 0 || W == 0 || H % patchSize != 0 || W % patchSize != 0)
            throw new ArgumentException(
                $"Images of {H} × {W} do not divide into patches of {patchSize} × {patchSize}; "
                + $"{Nearest(H, patchSize)} × {Nearest(W, patchSize)} would fit.", nameof(images));
    }

    static void CheckPatchSize(int patchSize) =>
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patchSize);

    static long Nearest(long length, int patchSize) =>
        Math.Max(1, (length + patchSize / 2) / patchSize) * patchSize;
}
