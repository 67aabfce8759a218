using SkiaSharp;

namespace Vit.Interactive;

/// <summary>
/// Text in pictures that looks the same on every system: the font travels in the assembly, and its outlines are drawn
/// as paths, past each system's own way with glyphs.
/// </summary>
static class Lettering
{
    static readonly SKFont Font = Load();

    /// <summary>Pixels from the top of a line to the top of the next.</summary>
    public static int LineHeight { get; } = (int)MathF.Ceiling(Font.Spacing);

    public static int Width(string text) => (int)MathF.Ceiling(Font.MeasureText(text));

    /// <param name="canvas">Where to draw.</param>
    /// <param name="text">One line.</param>
    /// <param name="center">x of its middle.</param>
    /// <param name="top">y of its top.</param>
    public static void Draw(SKCanvas canvas, string text, float center, float top)
    {
        using var paint = new SKPaint { Color = SKColors.Black, IsAntialias = true };
        using var path = Font.GetTextPath(text, new SKPoint(center - Width(text) / 2f, top - Font.Metrics.Ascent));
        canvas.DrawPath(path, paint);
    }

    static SKFont Load()
    {
        using var resource = typeof(Lettering).Assembly.GetManifestResourceStream("DejaVuSans-Latin.ttf")!;
        return new SKFont(SKTypeface.FromStream(resource), size: 12) { Hinting = SKFontHinting.None, Subpixel = true, LinearMetrics = true };
    }
}
