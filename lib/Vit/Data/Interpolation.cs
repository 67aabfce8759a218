namespace Vit.Data;

/// <summary>How <see cref="Picture.Resize"/> weighs the pixels around a point.</summary>
public enum Interpolation
{
    /// <summary>A triangle over two pixels.</summary>
    Bilinear,

    /// <summary>Keys' cubic with a = -0.5 over four pixels; it may overshoot the range of its input a little.</summary>
    Bicubic,
}
