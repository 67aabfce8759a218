using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>A picture that a notebook shows: the content of a PNG file.</summary>
public sealed class PngPicture
{
    /// <summary>Encodes a tensor.</summary>
    /// <param name="image">As for <see cref="Picture.ToRgb"/>.</param>
    /// <exception cref="ArgumentException">The shape is none of an image.</exception>
    public PngPicture(Tensor image) => (Content, Width, Height) = (Picture.Encode(image), (int)image.shape[^1], (int)image.shape[^2]);

    /// <summary>The file, as <see cref="Picture.Decode"/> takes it.</summary>
    public byte[] Content { get; }

    /// <summary>W, in pixels.</summary>
    public int Width { get; }

    /// <summary>H, in pixels.</summary>
    public int Height { get; }

    /// <summary>The size, in words.</summary>
    public override string ToString() => $"picture: {Width} × {Height} pixels";
}
