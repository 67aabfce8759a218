using Vit.Data;
using Vit.Detection;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Show
{
    // Told apart by colour-blind eyes, too: the palette of the charts.
    static readonly byte[] RightBox = [0, 200, 130], WrongBox = [230, 97, 0], MissedBox = [86, 180, 233];

    /// <summary>Boxes over pictures: right ones in green, wrong ones in orange, and dashed in blue the true ones that were missed.</summary>
    /// <remarks>Whether a box is right is what <see cref="AveragePrecision.Judge"/> says.</remarks>
    /// <param name="images">[N, 3, H, W] or [N, 1, H, W]; uint8, or float in [0, 1].</param>
    /// <param name="found">In fractions of the picture; the number of its image counts from 0.</param>
    /// <param name="truth">The boxes that should be found.</param>
    /// <param name="names">The names of the classes, to stand at a corner of each box, where there is room; null for none.</param>
    /// <param name="threshold">The least IoU of a right box.</param>
    /// <param name="labels">What stands under each picture; N of them.</param>
    /// <param name="columns">How many pictures in a row.</param>
    /// <param name="scale">Screen pixels for one image pixel.</param>
    /// <exception cref="ArgumentException">There are no images, not as many labels as images, or a class has no name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The threshold, the columns or the scale are out of their range.</exception>
    public static PngPicture Boxes(
        Tensor images, IEnumerable<ScoredBox> found, IEnumerable<ScoredBox> truth, IReadOnlyList<string>? names = null,
        double threshold = 0.5, IReadOnlyList<string>? labels = null, int columns = 4, int scale = 3)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        if (images.dim() != 4 || images.shape[0] == 0)
            throw new ArgumentException($"Found shape {Shape.Of(images)}, expected [N, C, H, W] with N of 1 or more.", nameof(images));
        var count = (int)images.shape[0];
        if (labels is not null && labels.Count != count)
            throw new ArgumentException($"Found {labels.Count} labels, expected {count}, one for each image.", nameof(labels));
        ScoredBox[] real = [.. truth];
        var judged = AveragePrecision.Judge(found, real, threshold);
        if (names is not null && judged.Select(it => it.Box).Concat(real).FirstOrDefault(box => box.Label < 0 || box.Label >= names.Count) is { } unknown)
            throw new ArgumentException($"Found a box of class {unknown.Label}, expected one of the {names.Count} that have names.", nameof(names));
        var hit = judged.Select(it => it.Object).ToHashSet(ReferenceEqualityComparer.Instance);

        using var scope = NewDisposeScope();
        var pictures = new Tensor[count];
        for (var i = 0; i < count; i++)
        {
            pictures[i] = Enlarged(Picture.ToRgb(images[i]), scale).contiguous();
            (ScoredBox Box, byte[] Colour)[] drawn =
            [
                .. judged.Where(it => it.Box.Image == i).Select(it => (it.Box, it.Object is null ? WrongBox : RightBox)),
                .. real.Where(box => box.Image == i && !hit.Contains(box)).Select(box => (box, MissedBox)),
            ];
            // The surest last, in front; but its name chooses its place first.
            foreach (var (box, colour) in drawn.Reverse())
                Outline(pictures[i], box, colour, dashed: colour == MissedBox);
            if (names is not null)
                Name(pictures[i], drawn, names);
        }
        return new(Tiles(pictures, columns, 8, labels));
    }

    static void Outline(Tensor picture, ScoredBox box, byte[] colour, bool dashed)
    {
        const int Thick = 2, Dash = 5;
        var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
        var (left, top, right, bottom) = Pixels(picture, box);
        var pixels = picture.bytes;
        for (var y = top; y < bottom; y++)
            for (var x = left; x < right; x++)
                if (Math.Min(Math.Min(x - left, right - 1 - x), Math.Min(y - top, bottom - 1 - y)) < Thick && (!dashed || (x + y) / Dash % 2 == 0))
                    for (var channel = 0; channel < 3; channel++)
                        pixels[(channel * height + y) * width + x] = colour[channel];
    }

    /// <summary>Writes each box's name into the first of its corners where no other name stands; where there is none, it is left out.</summary>
    static void Name(Tensor picture, IEnumerable<(ScoredBox Box, byte[] Colour)> boxes, IReadOnlyList<string> names)
    {
        var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
        var pixels = picture.bytes;
        var written = new List<(int X, int Y, int Width)>();
        foreach (var (box, colour) in boxes)
        {
            var (left, top, right, bottom) = Pixels(picture, box);
            var (wide, high) = (Lettering.Width(names[box.Label]) + 4, Lettering.LineHeight);
            var corners =
                from y in new[] { top - high, bottom, top, bottom - high }
                from x in new[] { left, right - wide }
                select (X: Math.Clamp(x, 0, Math.Max(0, width - wide)), Y: Math.Clamp(y, 0, Math.Max(0, height - high)), Width: wide);
            var spot = corners.FirstOrDefault(at => !written.Any(other => at.X < other.X + other.Width && other.X < at.X + wide && Math.Abs(at.Y - other.Y) < high));
            if (spot.Width == 0)
                continue;
            written.Add(spot);
            for (var y = spot.Y; y < Math.Min(spot.Y + high, height); y++)
                for (var x = spot.X; x < Math.Min(spot.X + wide, width); x++)
                    for (var channel = 0; channel < 3; channel++)
                        pixels[(channel * height + y) * width + x] = (byte)(128 + colour[channel] / 2);
            Lettering.Draw(picture, names[box.Label], spot.X + wide / 2f, spot.Y);
        }
    }

    static (int Left, int Top, int Right, int Bottom) Pixels(Tensor picture, ScoredBox box)
    {
        static int At(double part, long length) => (int)Math.Clamp(Math.Round(part * length), 0, length);
        return (At(box.Left, picture.shape[2]), At(box.Top, picture.shape[1]), At(box.Right, picture.shape[2]), At(box.Bottom, picture.shape[1]));
    }
}
