using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Show
{
    /// <summary>Films: to be played where a notebook may run scripts, and a row of frames for each everywhere else.</summary>
    /// <param name="films">[N, F, H, W], grey; uint8, or float in [0, 1].</param>
    /// <param name="names">What each film is called; N of them.</param>
    /// <param name="framesPerSecond">How fast the player runs at first.</param>
    /// <param name="size">About how many pixels the longer side of a frame in the rows has.</param>
    /// <exception cref="ArgumentException">The shape is none of films, or there are not as many names.</exception>
    public static Film Film(Tensor films, IReadOnlyList<string> names, double framesPerSecond = 4, int size = 80)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(framesPerSecond);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        if (films.dim() != 4 || films.numel() == 0)
            throw new ArgumentException($"Found shape {Shape.Of(films)}, expected [N, F, H, W] with N and F of 1 or more.", nameof(films));
        if (names.Count != films.shape[0])
            throw new ArgumentException($"Found {names.Count} names, expected {films.shape[0]}, one for each film.", nameof(names));
        using var scope = NewDisposeScope();
        return new(films, names, framesPerSecond, new(Rows(films, names, size)));
    }

    /// <summary>The name of each film, and under it its frames; under the last film the frames' numbers.</summary>
    static Tensor Rows(Tensor films, IReadOnlyList<string> names, int size)
    {
        const int Gap = 4;
        var frames = (int)films.shape[1];
        var numbers = Enumerable.Range(1, frames).Select(i => $"{i}").ToArray();
        Tensor[] rows = [.. films.unbind(0).Select((film, i) => Tiles(
            [.. film.unbind(0).Select(Picture.ToRgb).Select(frame => Enlarged(frame, Scale(frame, size)))],
            frames, Gap, i == names.Count - 1 ? numbers : null))];
        var line = Lettering.LineHeight + 2;
        var width = Math.Max((int)rows.Max(row => row.shape[2]), names.Max(Lettering.Width) + 4);
        var whole = full([3, rows.Sum(row => row.shape[1] + line + Gap), width], 255, ScalarType.Byte);
        var top = 0;
        foreach (var (row, name) in rows.Zip(names))
        {
            Lettering.Draw(whole, name, Lettering.Width(name) / 2f, top);
            whole.narrow(1, top + line, row.shape[1]).narrow(2, 0, row.shape[2]).copy_(row);
            top += line + (int)row.shape[1] + Gap;
        }
        return whole;
    }
}
