using System.Numerics;
using System.Runtime.InteropServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Pictures to tensors and back: PNG, JPEG and WebP.</summary>
public static class Picture
{
    /// <summary>The most pixels that a file may announce: a 48-megapixel photograph, 600 MB as a tensor.</summary>
    public const int MaxPixels = 50_000_000;

    const int MaxFileBytes = 256 << 20;

    // A JPEG holds at most 512 pixels in a byte, a PNG of bytes 1,032. Only what is blank has more, and it may up to a size.
    const long MaxPixelsPerByte = 1024;
    const long AlwaysPixels = 1 << 20;

    // Files from strangers reach these three decoders and no others. Memory is the system's, not the collector's: while a
    // model trains, megabytes for each picture would wake it up. None is kept, and no piece is larger than a picture needs.
    static readonly Configuration Decoders = new()
    {
        MaxDegreeOfParallelism = 1,
        MemoryAllocator = MemoryAllocator.Create(new() { MaximumPoolSizeMegabytes = 0, AllocationLimitMegabytes = MaxFileBytes >> 20 }),
    };

    static Picture()
    {
        Register(PngFormat.Instance, new PngImageFormatDetector(), new PngDecoder { IgnoreMetadata = true });
        Register(JpegFormat.Instance, new JpegImageFormatDetector(), new JpegDecoder { IgnoreMetadata = true });
        Register(WebpFormat.Instance, new WebpImageFormatDetector(), new WebpDecoder { IgnoreMetadata = true });

        static void Register(IImageFormat format, IImageFormatDetector detector, IImageDecoder decoder)
        {
            Decoders.ImageFormatsManager.AddImageFormatDetector(detector);
            Decoders.ImageFormatsManager.SetDecoder(format, decoder);
        }
    }

    /// <summary>Reads a picture the right way up, as its EXIF orientation says.</summary>
    /// <remarks>As with PIL's <c>convert("RGB")</c>, colour profiles are ignored and an alpha channel is dropped.</remarks>
    /// <param name="path">The file; its kind is read off its content, not its name.</param>
    /// <param name="grayscale">One channel, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).</param>
    /// <returns>[3, H, W], RGB, or [1, H, W]; float32 in [0, 1].</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, cut short, too large, animated, or no picture of these kinds.</exception>
    public static Tensor Load(string path, bool grayscale = false)
    {
        using var file = Open(path);
        return Decode(file, path, grayscale);
    }

    /// <inheritdoc cref="Load"/>
    /// <param name="bytes">The content of a picture file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="grayscale">One channel instead of three.</param>
    public static Tensor Decode(byte[] bytes, string name = "picture", bool grayscale = false)
    {
        using var file = new MemoryStream(bytes, writable: false);
        return Decode(file, name, grayscale);
    }

    static Tensor Decode(Stream file, string name, bool grayscale)
    {
        using var memory = Decoders.MemoryAllocator.Allocate<byte>((int)Math.Max(file.Length, 1));
        var content = memory.Memory.Span[..(int)file.Length];
        file.ReadExactly(content);
        file.Position = 0;
        var outside = PictureFile.Read(content, name);
        var size = Announced(file, name);
        try
        {
            using var image = Image.Load<Rgb24>(Decoders, content);
            return ToTensor(image, outside.Orientation, grayscale);
        }
        catch (Exception e) when (IsOfTheDecoder(e))
        {
            throw InvalidFile.Because(name, $"a {outside.Format} of {size.Width} × {size.Height} pixels that cannot be decoded ({e.Message})", "a whole picture", e);
        }
    }

    static FileStream Open(string path) => InvalidFile.Open(path, most: MaxFileBytes);

    /// <summary>The size that a file announces, before anything is decoded; no more than it can hold.</summary>
    static (int Width, int Height) Announced(Stream file, string name)
    {
        IImageInfo? size;
        try
        {
            size = Image.Identify(Decoders, file);
        }
        catch (Exception e) when (IsOfTheDecoder(e))
        {
            throw InvalidFile.Because(name, $"{file.Length} bytes that cannot be decoded ({e.Message})", "a whole picture", e);
        }
        if (size is null)
            throw PictureFile.OfAnotherKind(name, file.Length);
        var pixels = (long)size.Width * size.Height;
        if (size.Width < 1 || size.Height < 1 || pixels > MaxPixels)
            throw InvalidFile.Because(name, $"{size.Width} × {size.Height} pixels", $"at least 1 and at most {MaxPixels}");
        if (pixels > Math.Max(AlwaysPixels, MaxPixelsPerByte * file.Length))
            throw InvalidFile.Because(name, $"{size.Width} × {size.Height} pixels in {file.Length} bytes", $"at most {MaxPixelsPerByte} in a byte");
        return (size.Width, size.Height);
    }

    // On damaged files its decoders throw whatever comes of it: NullReferenceException, IndexOutOfRangeException, and more.
    static bool IsOfTheDecoder(Exception e) => e is not (OutOfMemoryException or IOException) || e is EndOfStreamException;

    static Tensor ToTensor(Image<Rgb24> image, int orientation, bool grayscale)
    {
        var (width, height) = (image.Width, image.Height);
        var (fromBelow, fromRight, turned) = Reading(orientation);
        var tensor = empty(turned ? [grayscale ? 1 : 3, width, height] : [grayscale ? 1 : 3, height, width]);
        // How far apart two pixels of a column, and two of a row, come to lie.
        var (down, across) = turned ? (1, height) : (width, 1);
        image.ProcessPixelRows(rows =>
        {
            var values = MemoryMarshal.Cast<byte, float>(tensor.bytes);
            var plane = width * height;
            for (var y = 0; y < height; y++)
            {
                var to = (fromBelow ? height - 1 - y : y) * down + (fromRight ? (width - 1) * across : 0);
                foreach (var pixel in rows.GetRowSpan(y))
                {
                    var (r, g, b) = (Shares[pixel.R], Shares[pixel.G], Shares[pixel.B]);
                    if (grayscale)
                        values[to] = 0.299f * r + 0.587f * g + 0.114f * b;
                    else
                        (values[to], values[to + plane], values[to + 2 * plane]) = (r, g, b);
                    to += fromRight ? -across : across;
                }
            }
        });
        return tensor;
    }

    static readonly float[] Shares = [.. Enumerable.Range(0, 256).Select(value => value / 255f)];

    /// <summary>Reads no more of a picture file than tells whether it is one.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is empty, too large, or no picture of these kinds.</exception>
    internal static void Check(string path)
    {
        using var file = Open(path);
        Announced(file, path);
    }

    /// <summary>Resizes with antialiasing, as PIL does and torchvision with <c>antialias=True</c>.</summary>
    /// <remarks>
    /// First the rows, then the columns: each pixel of the output is a weighted mean of a few pixels of the input. When
    /// shrinking, the filter widens with the factor, which is the antialiasing. Unlike PIL, which rounds to bytes between
    /// the two, nothing is rounded or clamped. It is computed in float32, by the calling thread alone, with the same bits
    /// on every machine, and no gradient goes through it.
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
    internal static Tensor Resized(Tensor image, (long Length, long Start, int Count) down, (long Length, long Start, int Count) across, Interpolation interpolation)
    {
        if (image.dim() < 2 || !image.is_floating_point())
            throw new ArgumentException($"Found {image.dtype} {Shape.Of(image)}, expected a float tensor [..., H, W].", nameof(image));
        using var scope = NewDisposeScope();
        var (height, width) = ((int)image.shape[^2], (int)image.shape[^1]);
        var (rows, columns) = (Weights(height, down, interpolation), Weights(width, across, interpolation));
        var result = empty([.. image.shape[..^2], down.Count, across.Count]);
        var mixed = new float[width];
        // Each plane by itself: all together may have more bytes than a span.
        foreach (var (from, to) in Planes(image.detach().to(ScalarType.Float32, CPU).contiguous()).Zip(Planes(result)))
        {
            var source = MemoryMarshal.Cast<byte, float>(from.bytes);
            var target = MemoryMarshal.Cast<byte, float>(to.bytes);
            foreach (var (i, row) in rows.Index())
            {
                Array.Clear(mixed);
                for (var tap = 0; tap < row.Values.Length; tap++)
                    Add(mixed, source.Slice((row.First + tap) * width, width), row.Values[tap]);
                foreach (var (j, column) in columns.Index())
                {
                    var sum = 0f;
                    for (var tap = 0; tap < column.Values.Length; tap++)
                        sum += mixed[column.First + tap] * column.Values[tap];
                    target[i * across.Count + j] = sum;
                }
            }
        }
        return result.to(image.dtype, image.device).MoveToOuterDisposeScope();

        static Tensor[] Planes(Tensor image) => image.reshape(-1, image.shape[^2], image.shape[^1]).unbind();
    }

    /// <summary>Adds a multiple of a row to a sum.</summary>
    static void Add(Span<float> sum, ReadOnlySpan<float> row, float weight)
    {
        var sums = MemoryMarshal.Cast<float, Vector<float>>(sum);
        var rows = MemoryMarshal.Cast<float, Vector<float>>(row);
        for (var i = 0; i < sums.Length; i++)
            sums[i] += rows[i] * weight;
        for (var i = sums.Length * Vector<float>.Count; i < sum.Length; i++)
            sum[i] += row[i] * weight;
    }

    /// <summary>Resizes so that the shorter side has a length, and keeps the proportions.</summary>
    /// <param name="image">[..., H, W], float.</param>
    /// <param name="length">Pixels of the shorter side.</param>
    /// <param name="interpolation">The filter.</param>
    /// <returns>[..., length, W'] or [..., H', length]; the longer side is rounded down, as in torchvision.</returns>
    public static Tensor ResizeShorterSide(Tensor image, int length, Interpolation interpolation = Interpolation.Bilinear)
    {
        var (height, width) = WithShorterSide(image.shape[^2], image.shape[^1], length);
        return Resize(image, checked((int)height), checked((int)width), interpolation);
    }

    internal static (long Height, long Width) WithShorterSide(long height, long width, int length) =>
        height <= width ? (length, length * width / height) : (length * height / width, length);

    /// <summary>Where a part begins that lies in the middle.</summary>
    internal static long Middle(long length, int size) => (long)Math.Round((length - size) / 2.0);

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

    /// <summary>A tensor as the bytes of a picture in colour.</summary>
    /// <param name="image">[3, H, W], [1, H, W] or [H, W]; uint8, or float in [0, 1], clamped and rounded.</param>
    /// <returns>[3, H, W], uint8, on the CPU.</returns>
    /// <exception cref="ArgumentException">The shape is another.</exception>
    public static Tensor ToRgb(Tensor image)
    {
        if (image.dim() is < 2 or > 3 || (image.dim() == 3 && image.shape[0] is not (1 or 3)) || image.numel() == 0)
            throw new ArgumentException($"Found shape {Shape.Of(image)}, expected [3, H, W], [1, H, W] or [H, W].", nameof(image));
        using var scope = NewDisposeScope();
        var pixels = image.detach().cpu();
        if (pixels.dtype != ScalarType.Byte)
            pixels = pixels.to(ScalarType.Float32).nan_to_num(0).clamp(0, 1).mul(255).round().to(ScalarType.Byte);
        return pixels.reshape(-1, image.shape[^2], image.shape[^1]).expand(3, -1, -1).MoveToOuterDisposeScope();
    }

    /// <summary>A tensor as the content of a picture file.</summary>
    /// <param name="image">As for <see cref="ToRgb"/>.</param>
    /// <param name="format">The kind of file.</param>
    /// <param name="quality">0 to 100, for JPEG and WebP.</param>
    /// <exception cref="ArgumentException">The shape is another, or there is no such format or quality.</exception>
    public static byte[] Encode(Tensor image, PictureFormat format = PictureFormat.Png, int quality = 90)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(quality);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        IImageEncoder encoder = format switch
        {
            PictureFormat.Png => new PngEncoder { ColorType = PngColorType.Rgb, BitDepth = PngBitDepth.Bit8 },
            PictureFormat.Jpeg => new JpegEncoder { Quality = Math.Max(quality, 1) },
            PictureFormat.Webp => new WebpEncoder { FileFormat = WebpFileFormatType.Lossy, Quality = quality },
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such format."),
        };
        using var scope = NewDisposeScope();
        var pixels = ToRgb(image).permute(1, 2, 0).contiguous();
        using var picture = Image.LoadPixelData<Rgb24>(Decoders, pixels.bytes, (int)pixels.shape[1], (int)pixels.shape[0]);
        using var file = new MemoryStream();
        picture.Save(file, encoder);
        return file.ToArray();
    }

    /// <summary>Writes a picture file, whole or not at all.</summary>
    /// <param name="image">As for <see cref="ToRgb"/>.</param>
    /// <param name="path">Its extension chooses the format: .png, .jpg, .jpeg or .webp.</param>
    /// <exception cref="ArgumentException">The extension is another, or the image's shape is none of a picture.</exception>
    public static void Save(Tensor image, string path)
    {
        var format = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => PictureFormat.Png,
            ".jpg" or ".jpeg" => PictureFormat.Jpeg,
            ".webp" => PictureFormat.Webp,
            var other => throw new ArgumentException($"Found \"{other}\", expected .png, .jpg, .jpeg or .webp.", nameof(path)),
        };
        var encoded = Encode(image, format);
        WholeFile.Write(path, file => file.Write(encoded));
    }

    /// <summary>
    /// Where the upright picture begins in the stored pixels, and whether its rows are their columns (EXIF 2.3, tag 274).
    /// </summary>
    static (bool FromBelow, bool FromRight, bool Turned) Reading(int orientation) => orientation switch
    {
        2 => (false, true, false),
        3 => (true, true, false),
        4 => (true, false, false),
        5 => (false, false, true),
        6 => (true, false, true),
        7 => (true, true, true),
        8 => (false, true, true),
        _ => default,
    };

    /// <summary>Of which pixels some pixels of the output are the mean, and with which weights, which sum to 1.</summary>
    static (int First, float[] Values)[] Weights(int input, (long Length, long Start, int Count) output, Interpolation interpolation)
    {
        var factor = (double)input / output.Length;
        var stretch = Math.Max(factor, 1);
        var radius = stretch * (interpolation == Interpolation.Bilinear ? 1 : 2);
        var weights = new (int, float[])[output.Count];
        for (var i = 0; i < output.Count; i++)
        {
            var center = (output.Start + i + 0.5) * factor;
            var first = Math.Max((int)(center - radius + 0.5), 0);
            var end = Math.Min((int)(center + radius + 0.5), input);
            double[] values = [.. Enumerable.Range(first, end - first).Select(j => Filter(Math.Abs(j + 0.5 - center) / stretch))];
            var sum = values.Sum();
            weights[i] = (first, [.. values.Select(value => (float)(value / sum))]);
        }
        return weights;

        double Filter(double x) => interpolation == Interpolation.Bilinear
            ? Math.Max(1 - x, 0)
            : x < 1 ? (1.5 * x - 2.5) * x * x + 1
            : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2
            : 0;
    }
}
