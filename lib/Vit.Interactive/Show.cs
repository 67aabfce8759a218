using SkiaSharp;
using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>Tensors as pictures. Each method returns a bitmap, which a notebook shows.</summary>
/// <remarks>Small pictures are enlarged pixel by pixel, so that what is seen is what the tensor holds.</remarks>
public static class Show
{
    /// <summary>One image.</summary>
    /// <param name="image">[3, H, W], [1, H, W] or [H, W]; uint8, or float in [0, 1].</param>
    /// <param name="scale">Screen pixels for one image pixel; if null, as many as make the longer side about 224.</param>
    /// <exception cref="ArgumentException">The shape is none of an image.</exception>
    public static SKBitmap Image(Tensor image, int? scale = null)
    {
        using var source = Picture.ToBitmap(image);
        return Enlarged(source, scale ?? Scale(source, 224));
    }

    /// <summary>Many images, row by row.</summary>
    /// <param name="images">[N, 3, H, W], [N, 1, H, W] or [N, H, W]; uint8, or float in [0, 1].</param>
    /// <param name="columns">How many in a row.</param>
    /// <param name="gap">White pixels between them.</param>
    /// <param name="scale">Screen pixels for one image pixel; if null, as many as make the longer side about 64.</param>
    /// <param name="labels">What stands under each image; N of them.</param>
    /// <exception cref="ArgumentException">There are no images, or not as many labels as images.</exception>
    public static SKBitmap Grid(Tensor images, int columns = 8, int gap = 4, int? scale = null, IReadOnlyList<string>? labels = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegative(gap);
        if (images.dim() is < 3 or > 4 || images.shape[0] == 0)
            throw new ArgumentException($"Found shape {Shape.Of(images)}, expected [N, C, H, W] or [N, H, W] with N of 1 or more.", nameof(images));
        var count = (int)images.shape[0];
        if (labels is not null && labels.Count != count)
            throw new ArgumentException($"Found {labels.Count} labels, expected {count}, one for each image.", nameof(labels));

        using var scope = NewDisposeScope();
        var bitmaps = images.unbind(0).Select(Picture.ToBitmap).ToArray();
        var factor = scale ?? Scale(bitmaps[0], 64);
        var (width, height) = (bitmaps[0].Width * factor, bitmaps[0].Height * factor);
        var cellWidth = Math.Max(width + gap, labels?.Max(Lettering.Width) + Math.Max(gap, 10) ?? 0);
        var cellHeight = height + gap + (labels is null ? 0 : Lettering.LineHeight);
        columns = Math.Min(columns, count);
        var rows = (count + columns - 1) / columns;

        var grid = Blank(columns * cellWidth - gap, rows * cellHeight - gap);
        using var canvas = new SKCanvas(grid);
        for (var i = 0; i < count; i++)
        {
            var (x, y) = (i % columns * cellWidth, i / columns * cellHeight);
            Draw(canvas, bitmaps[i], x + (cellWidth - gap - width) / 2, y, factor);
            if (labels is not null)
                Lettering.Draw(canvas, labels[i], x + (cellWidth - gap) / 2f, y + height);
            bitmaps[i].Dispose();
        }
        return grid;
    }

    /// <summary>An image with the borders of its patches drawn over it.</summary>
    /// <param name="image">As for <see cref="Image"/>; H and W are multiples of the patch size.</param>
    /// <param name="patchSize">P, in image pixels.</param>
    /// <param name="scale">As for <see cref="Image"/>.</param>
    /// <exception cref="ArgumentException">H or W is no multiple of the patch size.</exception>
    public static SKBitmap GridLines(Tensor image, int patchSize, int? scale = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patchSize);
        using var source = Picture.ToBitmap(image);
        if (source.Height % patchSize != 0 || source.Width % patchSize != 0)
            throw new ArgumentException($"Found {source.Height} × {source.Width} pixels, expected multiples of the patch size {patchSize}.", nameof(image));

        var factor = scale ?? Scale(source, 224);
        var picture = Enlarged(source, factor);
        using var canvas = new SKCanvas(picture);
        // A white line on a dark edge shows on bright and on dark images alike.
        foreach (var (color, thickness) in new[] { (SKColors.Black.WithAlpha(110), 3), (SKColors.White, 1) })
        {
            using var paint = new SKPaint { Color = color, StrokeWidth = thickness };
            for (var x = patchSize * factor; x < picture.Width; x += patchSize * factor)
                canvas.DrawLine(x, 0, x, picture.Height, paint);
            for (var y = patchSize * factor; y < picture.Height; y += patchSize * factor)
                canvas.DrawLine(0, y, picture.Width, y, paint);
        }
        return picture;
    }

    /// <summary>An image under a map of heat, such as attention: dark violet for 0, yellow for 1 (matplotlib's viridis).</summary>
    /// <param name="image">[3, H, W], [1, H, W] or [H, W], uint8, or float in [0, 1].</param>
    /// <param name="heat">[h, w] in [0, 1], one value for each patch; resized to the image.</param>
    /// <param name="opacity">0 shows the image alone, 1 the map alone.</param>
    /// <param name="scale">As for <see cref="Image"/>.</param>
    /// <exception cref="ArgumentException">The heat has not two dimensions, or the image's shape is none of an image.</exception>
    public static SKBitmap Overlay(Tensor image, Tensor heat, double opacity = 0.6, int? scale = null)
    {
        using var blended = Blend(image, heat, opacity);
        return Image(blended, scale);
    }

    /// <summary>What <see cref="Overlay"/> shows, as a tensor, so that several can stand in one <see cref="Grid"/>.</summary>
    /// <param name="image">As for <see cref="Overlay"/>.</param>
    /// <param name="heat">As for <see cref="Overlay"/>.</param>
    /// <param name="opacity">As for <see cref="Overlay"/>.</param>
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

    static int Scale(SKBitmap bitmap, int target) => Math.Max(1, target / Math.Max(bitmap.Width, bitmap.Height));

    static SKBitmap Blank(int width, int height)
    {
        var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        bitmap.Erase(SKColors.White);
        return bitmap;
    }

    static SKBitmap Enlarged(SKBitmap source, int scale)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        var bitmap = Blank(source.Width * scale, source.Height * scale);
        using var canvas = new SKCanvas(bitmap);
        Draw(canvas, source, 0, 0, scale);
        return bitmap;
    }

    static void Draw(SKCanvas canvas, SKBitmap bitmap, int x, int y, int scale)
    {
        using var image = SKImage.FromBitmap(bitmap);
        canvas.DrawImage(image, SKRect.Create(x, y, bitmap.Width * scale, bitmap.Height * scale), new SKSamplingOptions(SKFilterMode.Nearest));
    }
}
