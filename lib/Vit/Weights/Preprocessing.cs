using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>What a model was trained to be shown: which size, cut out how, on which scale.</summary>
public sealed record Preprocessing
{
    /// <summary>H, in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>W, in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>C: 3, or 1 for grey.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>
    /// The share of the shorter side that the square in the middle keeps, as timm's <c>crop_pct</c>. Null: the whole
    /// picture is stretched to the size.
    /// </summary>
    public double? Crop { get; init; }

    /// <summary>The filter for resizing, with antialiasing.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bicubic;

    /// <summary>Mean and deviation of the channels.</summary>
    public Normalization Normalization { get; init; } = Normalization.Half;

    /// <summary>Makes a picture what the model takes.</summary>
    /// <param name="image">[C, H, W], float in [0, 1], of any size.</param>
    /// <returns>[1, C, H, W] of the model's size.</returns>
    /// <exception cref="ArgumentException">The picture has other channels.</exception>
    public Tensor Apply(Tensor image)
    {
        if (image.dim() != 3 || image.shape[0] != Channels)
            throw new ArgumentException($"The model takes pictures [{Channels}, H, W], given was {Shape.Of(image)}.", nameof(image));
        using var scope = NewDisposeScope();
        var sized = Crop is double crop && Height == Width
            ? Picture.ResizeAndCrop(image, ShorterSide(crop), Height, Interpolation)
            : Picture.Resize(image, Height, Width, Interpolation);
        // Bicubic overshoots; the libraries of the published weights round it back into the range of a picture.
        return Normalization.Apply(sized.clamp(0, 1)).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>To how many pixels the shorter side is resized before the middle is cut out: no fewer than stay.</summary>
    internal int ShorterSide(double crop) => Math.Max((int)Math.Floor(Height / crop + 1e-6), Height);
}
