using System.Globalization;
using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Show
{
    const float Opacity = 0.65f;
    const int BarHeight = 12;

    /// <summary>Maps of patches, such as attention, as colour over the greyed picture, with the scale of the colours below.</summary>
    /// <remarks>
    /// Grey is added to the colour, not multiplied with it: what red, green and blue differ by is the same on black and on
    /// white pixels, so that a weight looks alike wherever it falls. Each patch is one square, since the map holds one number
    /// for it. Colours are those of <see cref="Colors"/> from 0 to the largest value; where some values are negative, blue
    /// for these, white for 0 and red for the positive ones.
    /// </remarks>
    /// <param name="images">[N, C, H, W], a picture for each map, or [C, H, W], one for all; C is 1 or 3; uint8, or float in [0, 1].</param>
    /// <param name="maps">[N, h, w], a value for each patch. A patch of NaN gets no colour: it shows the picture as it is.</param>
    /// <param name="labels">What stands under each tile; N of them.</param>
    /// <param name="title">What stands above all.</param>
    /// <param name="measure">What the scale shows.</param>
    /// <param name="columns">How many tiles in a row.</param>
    /// <param name="size">About how many pixels the longer side of a tile has.</param>
    /// <param name="range">The values at the ends of the scale, for all tiles; if null, what the maps need.</param>
    /// <param name="marks">Number of a patch to be framed in each tile, row by row from 0, or -1 for none; N of them.</param>
    /// <param name="ownScale">Each tile has a scale of its own, and its label says how far that goes. Tiles then do not compare.</param>
    /// <exception cref="ArgumentException">The shapes or numbers of images, maps, labels and marks do not fit together.</exception>
    public static PngPicture Maps(
        Tensor images, Tensor maps, IReadOnlyList<string>? labels = null, string? title = null, string measure = "weight",
        int columns = 4, int size = 168, (double Low, double High)? range = null, IReadOnlyList<int>? marks = null, bool ownScale = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        if (maps.dim() != 3 || maps.numel() == 0)
            throw new ArgumentException($"Found shape {Shape.Of(maps)}, expected [N, h, w] with N of 1 or more.", nameof(maps));
        var count = (int)maps.shape[0];
        if (images.dim() is < 3 or > 4 || (images.dim() == 4 && images.shape[0] != count))
            throw new ArgumentException($"Found shape {Shape.Of(images)}, expected [C, H, W] or [{count}, C, H, W].", nameof(images));
        if ((labels?.Count ?? count) != count || (marks?.Count ?? count) != count)
            throw new ArgumentException($"Found {labels?.Count ?? count} labels and {marks?.Count ?? count} marks, expected {count} of each.");

        using var scope = NewDisposeScope();
        var values = maps.detach().cpu().to(ScalarType.Float32);
        var (low, high) = range ?? Ends(values);
        var pictures = new Tensor[count];
        for (var i = 0; i < count; i++)
        {
            var picture = Sized(Picture.ToRgb(images.dim() == 4 ? images[i] : images), size);
            var (from, to) = ownScale ? Ends(values[i]) : (low, high);
            pictures[i] = Tinted(picture, values[i], from, to);
            if (marks is not null && marks[i] >= 0)
                Frame(pictures[i], (int)maps.shape[1], (int)maps.shape[2], marks[i]);
        }
        if (ownScale)
            labels = [.. Enumerable.Range(0, count).Select(i => $"{labels?[i]} (to {Number(Ends(values[i]).High)})".Trim())];
        var ends = ownScale ? (low < 0 ? "−largest" : "0", "largest of the tile") : (Number(low), Number(high));
        return new(WithScale(Tiles(pictures, columns, 8, labels), title, measure, ends, low < 0));
    }

    /// <summary>From 0 to the largest value, or as far below 0 as above it.</summary>
    static (double Low, double High) Ends(Tensor values)
    {
        var (lowest, highest) = (values.nan_to_num(0).min().item<float>(), values.nan_to_num(0).max().item<float>());
        var far = Math.Max(Math.Max(-lowest, highest), 1e-12f);
        return (lowest < 0 ? -far : 0, far);
    }

    static string Number(double value) =>
        Math.Abs(value) <= 1e-12 ? "0" : value.ToString("G3", CultureInfo.InvariantCulture).Replace('-', '−');

    /// <summary>Grey and the colours of the values, mixed; the values are drawn as squares.</summary>
    static Tensor Tinted(Tensor picture, Tensor map, double low, double high)
    {
        var (height, width) = (picture.shape[1], picture.shape[2]);
        var rows = arange(height).mul(map.shape[0]).div(height, RoundingMode.floor).to(ScalarType.Int64);
        var places = arange(width).mul(map.shape[1]).div(width, RoundingMode.floor).to(ScalarType.Int64);
        var values = map.index_select(0, rows).index_select(1, places);                                  // [H, W]
        var pixels = picture.to(ScalarType.Float32) / 255;
        var grey = (pixels * tensor(new[] { 0.299f, 0.587f, 0.114f }).reshape(3, 1, 1)).sum([0]);        // [H, W]
        var mixed = where(values.isnan(), pixels, Mixed(grey, (values - low) / (high - low), low < 0));
        return Picture.ToRgb(mixed).contiguous();
    }

    // Grey from 0.25 to 0.85: what is black or white in the picture leaves the colours room.
    static Tensor Mixed(Tensor grey, Tensor parts, bool signed) =>
        (0.25f + 0.6f * grey) * (1 - Opacity) + (signed ? Signed(parts) : Colors(parts)) * Opacity;

    /// <summary>[H, W] in [0, 1] to [3, H, W]: blue for 0, white for ½, red for 1.</summary>
    static Tensor Signed(Tensor parts)
    {
        var position = (parts.nan_to_num(0.5) * 2 - 1).clamp(-1, 1);
        var away = position.abs().unsqueeze(0);
        var end = where(position.unsqueeze(0) < 0, Rgb(0x2166ac), Rgb(0xb2182b));
        return (1 - away) + end * away;

        static Tensor Rgb(int rgb) => tensor(new[] { (rgb >> 16) / 255f, ((rgb >> 8) & 255) / 255f, (rgb & 255) / 255f }).reshape(3, 1, 1);
    }

    static void Frame(Tensor picture, int rows, int columns, int patch)
    {
        var ((top, bottom), (left, right)) = (Span(1, patch / columns, rows), Span(2, patch % columns, columns));
        foreach (var (y, x, height, width) in new[] { (top, left, 2, right - left), (bottom - 2, left, 2, right - left), (top, left, bottom - top, 2), (top, right - 2, bottom - top, 2) })
            picture.narrow(1, y, height).narrow(2, x, width).copy_(tensor(new byte[] { 255, 0, 0 }).reshape(3, 1, 1));

        (int From, int To) Span(int side, int place, int places)
        {
            if (place >= places)
                throw new ArgumentException($"Found patch {patch}, expected one of {rows} × {columns}.", "marks");
            // The first pixel that is drawn in a patch's colour, and the first of the next patch.
            int Begin(int i) => (int)((i * picture.shape[side] + places - 1) / places);
            return (Begin(place), Begin(place + 1));
        }
    }

    static Tensor Sized(Tensor pixels, int size)
    {
        var (height, width) = (pixels.shape[1], pixels.shape[2]);
        var longer = Math.Max(height, width);
        if (longer <= size)
            return Enlarged(pixels, (int)Math.Round((double)size / longer));
        return Picture.ToRgb(Picture.Resize(pixels.to(ScalarType.Float32) / 255, (int)(height * size / longer), (int)(width * size / longer)));
    }

    /// <summary>A title above the tiles; the scale's name, its colours and its ends below them.</summary>
    static Tensor WithScale(Tensor tiles, string? title, string measure, (string Low, string High) ends, bool signed)
    {
        var length = Math.Max(160, Lettering.Width(ends.Low) + Lettering.Width(ends.High) + 20);
        var width = new[] { (int)tiles.shape[2], length + 20, Lettering.Width(measure), Lettering.Width(title ?? "") }.Max();
        var above = title is null ? 0 : Lettering.LineHeight + 4;
        var below = above + (int)tiles.shape[1] + 6;
        var bar = below + Lettering.LineHeight + 2;
        var whole = full([3, bar + BarHeight + Lettering.LineHeight + 2, width], 255, ScalarType.Byte);
        whole.narrow(1, above, tiles.shape[1]).narrow(2, (width - tiles.shape[2]) / 2, tiles.shape[2]).copy_(tiles);
        var left = (width - length) / 2;
        var colours = Mixed(full([BarHeight, length], 0.5), linspace(0, 1, length).expand(BarHeight, -1), signed);
        whole.narrow(1, bar, BarHeight).narrow(2, left, length).copy_(Picture.ToRgb(colours));
        if (title is not null)
            Lettering.Draw(whole, title, width / 2f, 0);
        Lettering.Draw(whole, measure, width / 2f, below);
        Lettering.Draw(whole, ends.Low, left + Lettering.Width(ends.Low) / 2f, bar + BarHeight + 2);
        Lettering.Draw(whole, ends.High, left + length - Lettering.Width(ends.High) / 2f, bar + BarHeight + 2);
        return whole;
    }
}
