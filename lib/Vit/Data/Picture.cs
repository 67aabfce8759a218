using System.Runtime.InteropServices;
using SkiaSharp;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Pictures to tensors and back: PNG, JPEG and WebP.</summary>
public static class Picture
{
    /// <summary>The most pixels that a file may announce: a 48-megapixel photograph, 600 MB as a tensor.</summary>
    public const int MaxPixels = 50_000_000;

    const int MaxFileBytes = 256 << 20;
    const string Kinds = "a PNG, JPEG or WebP picture";

    /// <summary>Reads a picture the right way up, as its EXIF orientation says.</summary>
    /// <remarks>As with PIL's <c>convert("RGB")</c>, colour profiles are ignored and an alpha channel is dropped.</remarks>
    /// <param name="path">The file; its kind is read off its content, not its name.</param>
    /// <param name="grayscale">One channel, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).</param>
    /// <returns>[3, H, W], RGB, or [1, H, W]; float32 in [0, 1].</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, cut short, too large, or no picture of these kinds.</exception>
    public static Tensor Load(string path, bool grayscale = false)
    {
        using var data = Read(path);
        return Decode(data, path, grayscale);
    }

    /// <inheritdoc cref="Load"/>
    /// <param name="bytes">The content of a picture file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="grayscale">One channel instead of three.</param>
    public static Tensor Decode(byte[] bytes, string name = "picture", bool grayscale = false)
    {
        using var data = SKData.CreateCopy(bytes);
        return Decode(data, name, grayscale);
    }

    static Tensor Decode(SKData data, string name, bool grayscale)
    {
        using var codec = Open(data, name);
        using var pixels = Pixels(codec, name, codec.Info.Size);

        using var scope = NewDisposeScope();
        var interleaved = empty([pixels.Height, pixels.Width, 4], ScalarType.Byte);
        pixels.GetPixelSpan().CopyTo(interleaved.bytes);
        var image = Upright(interleaved.narrow(2, 0, 3).permute(2, 0, 1).to(ScalarType.Float32).div_(255), codec.EncodedOrigin);
        if (grayscale)
            image = tensor(new[] { 0.299f, 0.587f, 0.114f }).reshape(3, 1, 1).mul(image).sum(0, keepdim: true);
        return image.contiguous().MoveToOuterDisposeScope();
    }

    // Into memory that is not the collector's: while a model trains, megabytes for each picture would wake it up.
    static SKData Read(string path)
    {
        using var file = Open(path);
        var data = SKData.Create(file.Length);
        try
        {
            file.ReadExactly(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(data.AsSpan()), (int)data.Size));
            return data;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    static FileStream Open(string path)
    {
        var file = InvalidFile.Open(path);
        if (file.Length <= MaxFileBytes)
            return file;
        using (file)
            throw InvalidFile.Because(path, $"{file.Length} bytes", $"at most {MaxFileBytes}");
    }

    static SKCodec Open(SKData data, string name) => Accepted(SKCodec.Create(data), name, data.Size);

    static SKCodec Accepted(SKCodec? codec, string name, long length)
    {
        if (codec is null)
            throw InvalidFile.Because(name, length == 0 ? "an empty file" : $"{length} bytes of another kind", Kinds);
        try
        {
            if (codec.EncodedFormat is not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg or SKEncodedImageFormat.Webp))
                throw InvalidFile.Because(name, codec.EncodedFormat.ToString(), Kinds);
            if (codec.Info is { Width: < 1 } or { Height: < 1 } || (long)codec.Info.Width * codec.Info.Height > MaxPixels)
                throw InvalidFile.Because(name, $"{codec.Info.Width} × {codec.Info.Height} pixels", $"at least 1 and at most {MaxPixels}");
            return codec;
        }
        catch
        {
            codec.Dispose();
            throw;
        }
    }

    /// <summary>Decodes to RGBA, at one of the sizes that the codec offers.</summary>
    static SKBitmap Pixels(SKCodec codec, string name, SKSizeI size)
    {
        var pixels = new SKBitmap(new SKImageInfo(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        var result = codec.GetPixels(pixels.Info, pixels.GetPixels());
        if (result == SKCodecResult.Success)
            return pixels;
        pixels.Dispose();
        throw InvalidFile.Because(name, $"a {codec.EncodedFormat} of {codec.Info.Width} × {codec.Info.Height} pixels that cannot be decoded ({result})", "a whole picture");
    }

    /// <summary>Reads no more of a picture file than tells whether it is one.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty, too large, or no picture of these kinds.</exception>
    internal static void Check(string path)
    {
        using var file = Open(path);
        // A codec that is not to be had has closed the file.
        var length = file.Length;
        using var codec = Accepted(SKCodec.Create(file), path, length);
    }

    /// <summary>
    /// Reads the largest square in the middle of a picture, at a given size, faster than <see cref="Load"/> and
    /// <see cref="Resize"/> do: a JPEG is shrunk while it is decoded. No tensor is computed with, so that many threads may
    /// do this at once.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="size">S.</param>
    /// <param name="square">Takes the pixels [C, S, S] in [0, 1]; C is 3 for RGB, 1 for grey.</param>
    internal static void LoadSquare(string path, int size, Span<float> square)
    {
        using var data = Read(path);
        using var codec = Open(data, path);
        var whole = codec.Info.Size;
        var scaled = codec.GetScaledDimensions(Math.Min((float)size / Math.Min(whole.Width, whole.Height), 1));
        using var pixels = Pixels(codec, path, Math.Min(scaled.Width, scaled.Height) < size ? whole : scaled);

        // Called opaque, so that a colour under a transparent pixel counts as it does elsewhere.
        using var opaque = new SKPixmap(pixels.Info.WithAlphaType(SKAlphaType.Opaque), pixels.GetPixels());
        using var image = SKImage.FromPixels(opaque);
        using var small = new SKBitmap(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using (var canvas = new SKCanvas(small))
        {
            float side = Math.Min(pixels.Width, pixels.Height);
            var middle = SKRect.Create((pixels.Width - side) / 2, (pixels.Height - side) / 2, side, side);
            canvas.DrawImage(image, middle, SKRect.Create(size, size), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        }

        var (fromBelow, fromRight, turned) = Reading(codec.EncodedOrigin);
        var bytes = small.GetPixelSpan();
        for (var y = 0; y < size; y++)
            for (var x = 0; x < size; x++)
            {
                var (row, column) = turned ? (x, y) : (y, x);
                var from = bytes[(4 * ((fromBelow ? size - 1 - row : row) * size + (fromRight ? size - 1 - column : column)))..];
                var to = y * size + x;
                if (square.Length == size * size)
                    square[to] = (0.299f * from[0] + 0.587f * from[1] + 0.114f * from[2]) / 255;
                else
                    (square[to], square[to + size * size], square[to + 2 * size * size]) = (from[0] / 255f, from[1] / 255f, from[2] / 255f);
            }
    }

    /// <summary>Resizes with antialiasing, as PIL does and torchvision with <c>antialias=True</c>.</summary>
    /// <remarks>
    /// Two matrix products, one for the rows and one for the columns: row i of a matrix holds the weights with which the
    /// input's pixels make up pixel i of the output. When shrinking, the filter widens with the factor, which is the
    /// antialiasing. Unlike PIL, which rounds to bytes between the two, nothing is rounded or clamped.
    /// </remarks>
    /// <param name="image">[..., H, W], float.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="interpolation">The filter.</param>
    /// <returns>[..., height, width].</returns>
    /// <exception cref="ArgumentOutOfRangeException">Height or width is not positive.</exception>
    /// <exception cref="ArgumentException">The image is no float tensor of two or more dimensions.</exception>
    public static Tensor Resize(Tensor image, int height, int width, Interpolation interpolation = Interpolation.Bilinear)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        return Resized(image, (height, 0, height), (width, 0, width), interpolation);
    }

    /// <summary>Resizes, and computes no more than some rows and columns of the result.</summary>
    static Tensor Resized(Tensor image, (long Length, long Start, int Count) down, (long Length, long Start, int Count) across, Interpolation interpolation)
    {
        if (image.dim() < 2 || !image.is_floating_point())
            throw new ArgumentException($"Found {image.dtype} {Shape.Of(image)}, expected a float tensor [..., H, W].", nameof(image));
        using var scope = NewDisposeScope();
        var rows = Weights((int)image.shape[^2], down, interpolation).to(image.dtype, image.device);
        var columns = Weights((int)image.shape[^1], across, interpolation).to(image.dtype, image.device);
        return rows.matmul(image).matmul(columns.t()).MoveToOuterDisposeScope();
    }

    /// <summary>Resizes so that the shorter side has a length, and keeps the proportions.</summary>
    /// <param name="image">[..., H, W], float.</param>
    /// <param name="length">Pixels of the shorter side.</param>
    /// <param name="interpolation">The filter.</param>
    /// <returns>[..., length, W'] or [..., H', length]; the longer side is rounded down, as in torchvision.</returns>
    public static Tensor ResizeShorterSide(Tensor image, int length, Interpolation interpolation = Interpolation.Bilinear)
    {
        var (height, width) = WithShorterSide(image, length);
        return Resize(image, checked((int)height), checked((int)width), interpolation);
    }

    /// <summary>
    /// What <see cref="CenterCrop"/> leaves of the result of <see cref="ResizeShorterSide"/>. The rest is not computed: of a
    /// narrow strip it would be thousands of times as much.
    /// </summary>
    internal static Tensor ResizeAndCrop(Tensor image, int length, int size, Interpolation interpolation)
    {
        var (height, width) = WithShorterSide(image, length);
        return Resized(image, (height, Middle(height, size), size), (width, Middle(width, size), size), interpolation);
    }

    static (long Height, long Width) WithShorterSide(Tensor image, int length)
    {
        var (height, width) = (image.shape[^2], image.shape[^1]);
        return height <= width ? (length, length * width / height) : (length * height / width, length);
    }

    /// <summary>Where a part begins that lies in the middle.</summary>
    static long Middle(long length, int size) => (long)Math.Round((length - size) / 2.0);

    /// <summary>Cuts a square out of the middle.</summary>
    /// <param name="image">[..., H, W].</param>
    /// <param name="size">Pixels of its side.</param>
    /// <returns>[..., size, size], a view.</returns>
    /// <exception cref="ArgumentException">The image is smaller than that.</exception>
    public static Tensor CenterCrop(Tensor image, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        var (height, width) = (image.shape[^2], image.shape[^1]);
        if (height < size || width < size)
            throw new ArgumentException($"Found an image of {height} × {width} pixels, expected at least {size} × {size}: resize it first.", nameof(image));
        using var scope = NewDisposeScope();
        return image.narrow(-2, Middle(height, size), size).narrow(-1, Middle(width, size), size).MoveToOuterDisposeScope();
    }

    /// <summary>A tensor as a bitmap, which a notebook shows as a picture.</summary>
    /// <param name="image">[3, H, W], [1, H, W] or [H, W]; uint8, or float in [0, 1], clamped and rounded.</param>
    /// <exception cref="ArgumentException">The shape is another.</exception>
    public static SKBitmap ToBitmap(Tensor image)
    {
        if (image.dim() is < 2 or > 3 || (image.dim() == 3 && image.shape[0] is not (1 or 3)) || image.numel() == 0)
            throw new ArgumentException($"Found shape {Shape.Of(image)}, expected [3, H, W], [1, H, W] or [H, W].", nameof(image));
        using var scope = NewDisposeScope();
        var (height, width) = (image.shape[^2], image.shape[^1]);
        var pixels = image.detach().cpu();
        if (pixels.dtype != ScalarType.Byte)
            pixels = pixels.to(ScalarType.Float32).nan_to_num(0).clamp(0, 1).mul(255).round().to(ScalarType.Byte);
        pixels = pixels.reshape(-1, height, width).expand(3, height, width);
        var bytes = cat([pixels, full([1, height, width], 255, ScalarType.Byte)]).permute(1, 2, 0).contiguous().bytes;

        var bitmap = new SKBitmap((int)width, (int)height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        bytes.CopyTo(bitmap.GetPixelSpan());
        return bitmap;
    }

    /// <summary>A tensor as the content of a picture file.</summary>
    /// <param name="image">As for <see cref="ToBitmap"/>.</param>
    /// <param name="format">PNG, JPEG or WebP.</param>
    /// <param name="quality">0 to 100, for JPEG and WebP.</param>
    /// <exception cref="ArgumentException">The shape is another, or Skia does not write that format.</exception>
    public static byte[] Encode(Tensor image, SKEncodedImageFormat format = SKEncodedImageFormat.Png, int quality = 90)
    {
        using var bitmap = ToBitmap(image);
        using var data = bitmap.Encode(format, quality) ?? throw new ArgumentException($"Found {format}, expected PNG, JPEG or WebP.", nameof(format));
        return data.ToArray();
    }

    /// <summary>Writes a picture file, whole or not at all.</summary>
    /// <param name="image">As for <see cref="ToBitmap"/>.</param>
    /// <param name="path">Its extension chooses the format: .png, .jpg, .jpeg or .webp.</param>
    /// <exception cref="ArgumentException">The extension is another, or the image's shape is none of a picture.</exception>
    public static void Save(Tensor image, string path)
    {
        var format = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => SKEncodedImageFormat.Png,
            ".jpg" or ".jpeg" => SKEncodedImageFormat.Jpeg,
            ".webp" => SKEncodedImageFormat.Webp,
            var other => throw new ArgumentException($"Found \"{other}\", expected .png, .jpg, .jpeg or .webp.", nameof(path)),
        };
        var encoded = Encode(image, format);
        WholeFile.Write(path, file => file.Write(encoded));
    }

    static Tensor Upright(Tensor image, SKEncodedOrigin origin)
    {
        var (fromBelow, fromRight, turned) = Reading(origin);
        if (fromBelow)
            image = image.flip(1);
        if (fromRight)
            image = image.flip(2);
        return turned ? image.transpose(1, 2) : image;
    }

    /// <summary>
    /// Where the upright picture begins in the stored pixels, and whether its rows are their columns (EXIF 2.3, tag 274).
    /// </summary>
    static (bool FromBelow, bool FromRight, bool Turned) Reading(SKEncodedOrigin origin) => origin switch
    {
        SKEncodedOrigin.TopRight => (false, true, false),
        SKEncodedOrigin.BottomRight => (true, true, false),
        SKEncodedOrigin.BottomLeft => (true, false, false),
        SKEncodedOrigin.LeftTop => (false, false, true),
        SKEncodedOrigin.RightTop => (true, false, true),
        SKEncodedOrigin.RightBottom => (true, true, true),
        SKEncodedOrigin.LeftBottom => (false, true, true),
        _ => default,
    };

    /// <summary>Some rows of a matrix [output, input], each of which sums to 1.</summary>
    static Tensor Weights(int input, (long Length, long Start, int Count) output, Interpolation interpolation)
    {
        var factor = (double)input / output.Length;
        var stretch = Math.Max(factor, 1);
        var radius = stretch * (interpolation == Interpolation.Bilinear ? 1 : 2);
        var weights = new double[output.Count, input];
        for (var i = 0; i < output.Count; i++)
        {
            var center = (output.Start + i + 0.5) * factor;
            var first = Math.Max((int)(center - radius + 0.5), 0);
            var end = Math.Min((int)(center + radius + 0.5), input);
            var sum = 0.0;
            for (var j = first; j < end; j++)
                sum += weights[i, j] = Filter(Math.Abs(j + 0.5 - center) / stretch);
            for (var j = first; j < end; j++)
                weights[i, j] /= sum;
        }
        return from_array(weights);

        double Filter(double x) => interpolation == Interpolation.Bilinear
            ? Math.Max(1 - x, 0)
            : x < 1 ? (1.5 * x - 2.5) * x * x + 1
            : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2
            : 0;
    }
}
