using System.Runtime.InteropServices;
using SkiaSharp;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>What <see cref="Vit.Data.Picture"/> and <see cref="Vit.Data.ImageFolder"/> do, done by SkiaSharp.</summary>
static class SkiaPictures
{
    /// <summary>[3, H, W], float32 in [0, 1].</summary>
    public static Tensor Load(string path)
    {
        using var codec = SKCodec.Create(path);
        using var bitmap = new SKBitmap(new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        return ToTensor(bitmap);
    }

    /// <summary>The squares in the middle, [B, 3, S, S]: a JPEG is shrunk while it is decoded.</summary>
    public static Tensor LoadSquares(string[] paths, int size)
    {
        var squares = new Tensor[paths.Length];
        Parallel.For(0, paths.Length, i =>
        {
            using var codec = SKCodec.Create(paths[i]);
            var (width, height) = (codec.Info.Width, codec.Info.Height);
            var scaled = codec.GetScaledDimensions((float)size / Math.Min(width, height));
            if (Math.Min(scaled.Width, scaled.Height) < size)
                scaled = codec.Info.Size;
            using var pixels = new SKBitmap(new SKImageInfo(scaled.Width, scaled.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
            codec.GetPixels(pixels.Info, pixels.GetPixels());
            using var image = SKImage.FromBitmap(pixels);
            using var small = new SKBitmap(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque));
            using (var canvas = new SKCanvas(small))
            {
                float side = Math.Min(pixels.Width, pixels.Height);
                canvas.DrawImage(image, SKRect.Create((pixels.Width - side) / 2, (pixels.Height - side) / 2, side, side), SKRect.Create(size, size),
                    new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
            }
            squares[i] = ToTensor(small);
        });
        var batch = stack(squares);
        foreach (var square in squares)
            square.Dispose();
        return batch;
    }

    static Tensor ToTensor(SKBitmap bitmap)
    {
        var tensor = empty(3, bitmap.Height, bitmap.Width);
        var values = MemoryMarshal.Cast<byte, float>(tensor.bytes);
        var bytes = bitmap.GetPixelSpan();
        var plane = bitmap.Height * bitmap.Width;
        for (var i = 0; i < plane; i++)
            (values[i], values[i + plane], values[i + 2 * plane]) = (bytes[4 * i] / 255f, bytes[4 * i + 1] / 255f, bytes[4 * i + 2] / 255f);
        return tensor;
    }
}
