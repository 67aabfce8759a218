using System.Globalization;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// What a model is shown: which size, cut out how, on which scale. One record for all that looks at pictures: the images
/// to train on, validation, <see cref="Weights.PretrainedModel{TModel}.Classify(string, int)"/>, and every file that holds the model.
/// </summary>
public sealed record Preprocessing
{
    const int LargestSide = 4096;

    /// <summary>H, in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>W, in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>C: 3, or 1 for grey.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>
    /// How much of the largest rectangle of these proportions the middle keeps, as timm's <c>crop_pct</c>; 1 is all of it.
    /// Null: the whole picture is stretched to the size.
    /// </summary>
    public double? Crop { get; init; } = 1;

    /// <summary>The filter for resizing, with antialiasing.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bicubic;

    /// <summary>Mean and deviation of the channels.</summary>
    public Normalization Normalization { get; init; } = Normalization.Half;

    /// <summary>Pictures in colour as high as they are wide, and otherwise the defaults.</summary>
    /// <param name="size">H and W, in pixels.</param>
    public static Preprocessing Square(int size) => new() { Height = size, Width = size };

    /// <summary>Reads a picture file as the model takes it.</summary>
    /// <param name="path">A PNG, JPEG or WebP file.</param>
    /// <returns>[1, C, H, W].</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no picture, or damaged.</exception>
    public Tensor Load(string path)
    {
        using var scope = NewDisposeScope();
        return Apply(Picture.Load(path, grayscale: Channels == 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Makes a picture what the model takes.</summary>
    /// <param name="image">[C, H', W'], float in [0, 1], of any size.</param>
    /// <returns>[1, C, H, W], float32, on the CPU.</returns>
    /// <exception cref="ArgumentException">The picture has other channels, or is none.</exception>
    public Tensor Apply(Tensor image)
    {
        using var scope = NewDisposeScope();
        return Normalization.Apply(Fit(image)).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>Resizes a picture, or a part of it, to the model's size.</summary>
    /// <param name="image">[C, H', W'], float in [0, 1].</param>
    /// <param name="crop">Which part is shown, stretched to the size; null: what <see cref="Crop"/> says.</param>
    /// <param name="place">The picture's place in its batch.</param>
    /// <returns>[C, H, W] in [0, 1], float32, on the CPU.</returns>
    internal Tensor Fit(Tensor image, RandomCrop? crop = null, int place = 0)
    {
        if (image.dim() != 3 || image.shape[0] != Channels || image.numel() == 0)
            throw new ArgumentException($"The model takes pictures [{Channels}, H, W], given was {Shape.Of(image)}.", nameof(image));
        if (!image.is_floating_point())
            throw new ArgumentException($"Found {image.dtype} {Shape.Of(image)}, expected a float tensor [C, H, W].", nameof(image));
        using var scope = NewDisposeScope();
        if (crop is not null)
        {
            var (top, left, rows, columns) = crop(place, (int)image.shape[1], (int)image.shape[2]);
            image = image.narrow(1, top, rows).narrow(2, left, columns);
        }
        var (down, across) = crop is null ? Resized(image.shape[1], image.shape[2]) : (Height, Width);
        // The rest is not computed: of a narrow strip it would be thousands of times as much.
        var sized = Picture.Resized(
            image.detach().to(ScalarType.Float32, CPU), (down, Picture.Middle(down, Height), Height), (across, Picture.Middle(across, Width), Width), Interpolation);
        // Bicubic overshoots; the libraries of the published weights round it back into the range of a picture.
        foreach (ref var pixel in MemoryMarshal.Cast<byte, float>(sized.bytes))
            pixel = Math.Clamp(pixel, 0, 1);
        return sized.MoveToOuterDisposeScope();
    }

    /// <summary>To what size a picture is resized before the middle is cut out: no smaller than what stays.</summary>
    (long Height, long Width) Resized(long height, long width)
    {
        if (Crop is not double crop)
            return (Height, Width);
        var (least, leastWidth) = (ShorterSide(Height, crop), ShorterSide(Width, crop));
        if (least == leastWidth)
            return Picture.WithShorterSide(height, width, least);
        // As timm's ResizeKeepRatio.
        var factor = Math.Min((double)height / least, (double)width / leastWidth);
        return ((long)Math.Round(height / factor), (long)Math.Round(width / factor));
    }

    internal static int ShorterSide(int size, double crop) => Math.Max((int)Math.Floor(size / crop + 1e-6), size);

    /// <summary>All of it, in a few words.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Channels} × {Height} × {Width}, {(Crop is double crop ? $"crop {crop:0.###}" : "stretched")}, {Interpolation}, mean {Normalization.Mean}, deviation {Normalization.Std}");

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Check()
    {
        Bounds.Check(Height, 1, LargestSide, nameof(Height));
        Bounds.Check(Width, 1, LargestSide, nameof(Width));
        Bounds.Check(Channels, 1, int.MaxValue, nameof(Channels));
        if (Crop is double crop)
            Bounds.Check(crop, 0.01, 1, nameof(Crop));
        if (Normalization.Mean.Count != 1 && Normalization.Mean.Count != Channels)
            throw new ArgumentException($"Found a normalisation of {Normalization.Mean.Count} channels, expected one for all or {Channels}.", nameof(Normalization));
    }
}
