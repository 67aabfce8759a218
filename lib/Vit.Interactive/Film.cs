using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>Films that a notebook shows: a player with a button and a slider where it may run scripts, else all frames side by side.</summary>
/// <remarks>The player needs no network; it stands still until it is started, and the keyboard reaches both of its controls.</remarks>
public sealed class Film
{
    readonly string page, words;
    readonly int height;

    internal Film(Tensor films, IReadOnlyList<string> names, double framesPerSecond, PngPicture picture)
    {
        Picture = picture;
        var frames = films.shape[1];
        words = $"films: {films.shape[0]} of {frames} frames, {string.Join("; ", names)}";
        // 160 pixels for a picture, four of them in a row; then the controls.
        height = 90 + (names.Count + 3) / 4 * (int)(190 * Math.Max(1, films.shape[2] / (double)films.shape[3]));
        page = Page.Filled(Page.Template("Film.html"), new
        {
            frames,
            framesPerSecond,
            Films = names.Select((name, i) => new
            {
                name,
                Frames = films[i].unbind(0).Select(frame => Convert.ToBase64String(Data.Picture.Encode(frame))),
            }),
        });
    }

    /// <summary>For places that show no scripts: a row of frames for each film.</summary>
    public PngPicture Picture { get; }

    /// <summary>The player, a whole page.</summary>
    public string ToHtml() => page;

    /// <summary>The page in a frame of a notebook.</summary>
    internal string ToFrame() => Page.Frame(page, words, height);

    /// <summary>What it shows, in words.</summary>
    public override string ToString() => words;
}
