using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>Tensors as pictures. What most methods return, a notebook shows.</summary>
/// <remarks>Small pictures are enlarged pixel by pixel, so that what is seen is what the tensor holds.</remarks>
public static partial class Show
{
    /// <summary>One image.</summary>
    /// <param name="image">[3, H, W], [1, H, W] or [H, W]; uint8, or float in [0, 1].</param>
    /// <param name="scale">Screen pixels for one image pixel; if null, as many as make the longer side about 224.</param>
    /// <exception cref="ArgumentException">The shape is none of an image.</exception>
    public static PngPicture Image(Tensor image, int? scale = null)
    {
        using var scope = NewDisposeScope();
        var pixels = Picture.ToRgb(image);
        return new(Enlarged(pixels, scale ?? Scale(pixels, 224)));
    }

    /// <summary>Many images, row by row.</summary>
    /// <param name="images">[N, 3, H, W], [N, 1, H, W] or [N, H, W]; uint8, or float in [0, 1].</param>
    /// <param name="columns">How many in a row.</param>
    /// <param name="gap">White pixels between them.</param>
    /// <param name="scale">Screen pixels for one image pixel; if null, as many as make the longer side about 64.</param>
    /// <param name="labels">What stands under each image; N of them.</param>
    /// <exception cref="ArgumentException">There are no images, or not as many labels as images.</exception>
    public static PngPicture Grid(Tensor images, int columns = 8, int gap = 4, int? scale = null, IReadOnlyList<string>? labels = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegative(gap);
        if (images.dim() is < 3 or > 4 || images.shape[0] == 0)
            throw new ArgumentException($"Found shape {Shape.Of(images)}, expected [N, C, H, W] or [N, H, W] with N of 1 or more.", nameof(images));
        var count = (int)images.shape[0];
        if (labels is not null && labels.Count != count)
            throw new ArgumentException($"Found {labels.Count} labels, expected {count}, one for each image.", nameof(labels));

        using var scope = NewDisposeScope();
        var pictures = images.unbind(0).Select(Picture.ToRgb).ToArray();
        var factor = scale ?? Scale(pictures[0], 64);
        return new(Tiles([.. pictures.Select(picture => Enlarged(picture, factor))], columns, gap, labels));
    }

    static Tensor Tiles(Tensor[] pictures, int columns, int gap, IReadOnlyList<string>? labels)
    {
        var (height, width) = ((int)pictures[0].shape[1], (int)pictures[0].shape[2]);
        var cellWidth = Math.Max(width + gap, labels?.Max(Lettering.Width) + Math.Max(gap, 10) ?? 0);
        var cellHeight = height + gap + (labels is null ? 0 : Lettering.LineHeight);
        columns = Math.Min(columns, pictures.Length);
        var rows = (pictures.Length + columns - 1) / columns;

        var grid = full([3, rows * cellHeight - gap, columns * cellWidth - gap], 255, ScalarType.Byte);
        for (var i = 0; i < pictures.Length; i++)
        {
            var (x, y) = (i % columns * cellWidth, i / columns * cellHeight);
            grid.narrow(1, y, height).narrow(2, x + (cellWidth - gap - width) / 2, width).copy_(pictures[i]);
            if (labels is not null)
                Lettering.Draw(grid, labels[i], x + (cellWidth - gap) / 2f, y + height);
        }
        return grid;
    }

    /// <summary>An image with the borders of its patches drawn over it.</summary>
    /// <param name="image">As for <see cref="Image"/>; H and W are multiples of the patch size.</param>
    /// <param name="patchSize">P, in image pixels.</param>
    /// <param name="scale">As for <see cref="Image"/>.</param>
    /// <exception cref="ArgumentException">H or W is no multiple of the patch size.</exception>
    public static PngPicture GridLines(Tensor image, int patchSize, int? scale = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patchSize);
        using var scope = NewDisposeScope();
        var pixels = Picture.ToRgb(image);
        var (height, width) = (pixels.shape[1], pixels.shape[2]);
        if (height % patchSize != 0 || width % patchSize != 0)
            throw new ArgumentException($"Found {height} × {width} pixels, expected multiples of the patch size {patchSize}.", nameof(image));

        var factor = scale ?? Scale(pixels, 224);
        var picture = Enlarged(pixels, factor);
        var lines = new[] { 1, 2 }.SelectMany(side =>
            Enumerable.Range(1, (int)(pixels.shape[side] / patchSize) - 1).Select(i => (Side: side, At: i * patchSize * factor))).ToArray();
        // A white line between dark ones shows on bright and on dark images alike.
        foreach (var (side, at) in lines)
            foreach (var edge in new[] { at - 1, at + 1 }.Where(edge => edge < picture.shape[side]))
                picture.narrow(side, edge, 1).copy_((picture.narrow(side, edge, 1) * 0.57).round());
        foreach (var (side, at) in lines)
            picture.narrow(side, at, 1).fill_(255);
        return new(picture);
    }

    /// <summary>An image under a map of heat, such as attention: dark violet for 0, yellow for 1 (matplotlib's viridis).</summary>
    /// <param name="image">[3, H, W], [1, H, W] or [H, W], uint8, or float in [0, 1].</param>
    /// <param name="heat">[h, w] in [0, 1], one value for each patch; resized to the image.</param>
    /// <param name="opacity">0 shows the image alone, 1 the map alone.</param>
    /// <returns>[3, H, W], float32 in [0, 1].</returns>
    /// <exception cref="ArgumentException">The heat has not two dimensions.</exception>
    public static Tensor Blend(Tensor image, Tensor heat, double opacity = 0.6)
    {
        if (heat.dim() != 2)
            throw new ArgumentException($"Found shape {Shape.Of(heat)}, expected [h, w].", nameof(heat));
        using var scope = NewDisposeScope();
        var map = Picture.Resize(heat.detach().cpu().to(ScalarType.Float32), (int)image.shape[^2], (int)image.shape[^1]);
        var below = image.detach().cpu().to(ScalarType.Float32) / (image.dtype == ScalarType.Byte ? 255 : 1);
        return (below * (1 - opacity) + Colors(map) * opacity).MoveToOuterDisposeScope();
    }

    /// <summary>Numbers as colours: eight points of matplotlib's viridis, from dark violet to yellow, and straight lines between them.</summary>
    /// <param name="values">[…, H, W]; below 0 is shown as 0, above 1 as 1, NaN as 0.</param>
    /// <returns>[…, 3, H, W], float32 in [0, 1], on the CPU.</returns>
    public static Tensor Colors(Tensor values)
    {
        using var scope = NewDisposeScope();
        var points = tensor(new[] { 0x440154, 0x46327e, 0x365c8d, 0x277f8e, 0x1fa187, 0x4ac16d, 0xa0da39, 0xfde725 }
            .SelectMany(rgb => new[] { rgb >> 16, (rgb >> 8) & 255, rgb & 255 }).Select(value => value / 255f).ToArray(), [8, 3]);
        var position = values.detach().cpu().nan_to_num(0).clamp(0, 1) * 7;
        var below = position.floor().clamp(0, 6).to(ScalarType.Int64);
        var part = (position - below).unsqueeze(-1);
        return (points[below] * (1 - part) + points[below + 1] * part).movedim([-1], [-3]).MoveToOuterDisposeScope();
    }

    static int Scale(Tensor pixels, int target) => Math.Max(1, target / (int)Math.Max(pixels.shape[1], pixels.shape[2]));

    static Tensor Enlarged(Tensor pixels, int scale)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        return pixels.repeat_interleave(scale, 1).repeat_interleave(scale, 2);
    }
}
