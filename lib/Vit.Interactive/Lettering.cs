using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>
/// Text in pictures that looks the same on every system: its characters were drawn once, from the font beside this file,
/// by <c>draw-lettering.py</c>.
/// </summary>
/// <remarks>
/// The drawing holds how much of each place a character covers, in lines of a pixel's height and columns of an eighth of
/// its width, so that a character may begin at any eighth of a pixel. Each has two pixels of margin on both sides, for
/// what it reaches into its neighbours; a dot below tells where it begins. Others than these are written as question marks.
/// </remarks>
static class Lettering
{
    const int Columns = 8;
    const int Margin = 2 * Columns;

    static readonly string Characters = string.Concat([
        .. Range(' ', '~'), .. Range('\u00A0', 'ÿ'), "Δ", .. Range('α', 'ω'), "–—‘’‚‛“”…←↑→↓−√≈≠≤≥✓✗"]);

    static readonly (float[,] Coverage, int[] Begins) Drawn = Load();

    /// <summary>Pixels from the top of a line to the top of the next.</summary>
    public static int LineHeight { get; } = Drawn.Coverage.GetLength(0) - 1;

    /// <summary>Pixels of a text's width, rounded up.</summary>
    public static int Width(string text) => (text.Sum(character => Place(character).Advance) + Columns - 1) / Columns;

    /// <summary>Whether a character is written as itself.</summary>
    public static bool Knows(char character) => Characters.Contains(character);

    /// <param name="picture">Where to draw: [3, H, W], uint8, contiguous, white where the text will be.</param>
    /// <param name="text">One line.</param>
    /// <param name="center">x of its middle.</param>
    /// <param name="top">y of its top.</param>
    public static void Draw(Tensor picture, string text, float center, int top)
    {
        var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
        var covered = new float[LineHeight, width];
        var x = (int)MathF.Round((center - Width(text) / 2f) * Columns);
        foreach (var character in text)
        {
            var (begin, advance) = Place(character);
            for (var column = 0; column < advance + 2 * Margin; column++)
                if (x - Margin + column is >= 0 and var at && at / Columns < width)
                    for (var line = 0; line < LineHeight; line++)
                        covered[line, at / Columns] += Drawn.Coverage[line, begin + column] / Columns;
            x += advance;
        }
        var pixels = picture.bytes;
        for (var channel = 0; channel < 3; channel++)
            for (var line = 0; line < LineHeight && top + line < height; line++)
                for (var column = 0; column < width; column++)
                    if (covered[line, column] > 0)
                        pixels[(channel * height + top + line) * width + column] = (byte)MathF.Round(255 * (1 - Math.Min(covered[line, column], 1)));
    }

    static (int Begin, int Advance) Place(char character)
    {
        var i = Characters.IndexOf(Knows(character) ? character : '?');
        return (Drawn.Begins[i], Drawn.Begins[i + 1] - Drawn.Begins[i] - 2 * Margin);
    }

    static (float[,], int[]) Load()
    {
        using var resource = typeof(Lettering).Assembly.GetManifestResourceStream("Lettering.png")!;
        using var content = new MemoryStream();
        resource.CopyTo(content);
        using var drawing = Picture.Decode(content.ToArray(), "Lettering.png", grayscale: true);
        var (lines, columns) = ((int)drawing.shape[1], (int)drawing.shape[2]);
        var values = new float[lines, columns];
        Buffer.BlockCopy(drawing.data<float>().ToArray(), 0, values, 0, values.Length * sizeof(float));
        return (values, [.. Enumerable.Range(0, columns).Where(x => values[lines - 1, x] > 0), columns]);
    }

    static IEnumerable<string> Range(char first, char last) => Enumerable.Range(first, last - first + 1).Select(code => $"{(char)code}");
}
