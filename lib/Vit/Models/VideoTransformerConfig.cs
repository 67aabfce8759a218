namespace Vit.Models;

/// <summary>All that determines a <see cref="VideoTransformer"/> but its weights.</summary>
public sealed record VideoTransformerConfig
{
    /// <summary>F, the frames of a film; a multiple of those of a tubelet.</summary>
    public required int Frames { get; init; }

    /// <summary>H, in pixels; a multiple of the patch size.</summary>
    public required int ImageHeight { get; init; }

    /// <summary>W, in pixels; a multiple of the patch size.</summary>
    public required int ImageWidth { get; init; }

    /// <summary>C.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>t, the frames of a tubelet.</summary>
    public int TubeletFrames { get; init; } = 2;

    /// <summary>P, in pixels.</summary>
    public required int PatchSize { get; init; }

    /// <summary>L, the number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>D, the length of a token; a multiple of the heads.</summary>
    public required int Width { get; init; }

    /// <summary>M, the length of the feed-forward's hidden layer.</summary>
    public required int MlpWidth { get; init; }

    /// <summary>h.</summary>
    public required int Heads { get; init; }

    /// <summary>K.</summary>
    public required int Classes { get; init; }

    /// <summary>Which tokens look at one another.</summary>
    public VideoAttention Attention { get; init; }

    /// <summary>Whether the model is told when a tubelet was seen; where it was seen it is told always.</summary>
    public bool TimePositions { get; init; } = true;

    /// <summary>G = F / t, how many times there are.</summary>
    public int Times => Frames / TubeletFrames;

    /// <summary>N = (H / P) · (W / P), how many places there are.</summary>
    public int Places => ImageHeight / PatchSize * (ImageWidth / PatchSize);

    /// <summary>Checks that the parts fit one another.</summary>
    /// <exception cref="ArgumentException">They do not; the message names the part, says what it is and what fits.</exception>
    internal void Check()
    {
        foreach (var (value, name) in new[]
        {
            (Frames, nameof(Frames)), (ImageHeight, nameof(ImageHeight)), (ImageWidth, nameof(ImageWidth)), (Channels, nameof(Channels)),
            (TubeletFrames, nameof(TubeletFrames)), (PatchSize, nameof(PatchSize)), (Layers, nameof(Layers)), (Width, nameof(Width)),
            (MlpWidth, nameof(MlpWidth)), (Heads, nameof(Heads)), (Classes, nameof(Classes)),
        })
            if (value < 1)
                throw new ArgumentException($"{name} is {value}, expected at least 1.", name);
        foreach (var (value, step, name) in new[]
        {
            (Frames, TubeletFrames, nameof(Frames)), (ImageHeight, PatchSize, nameof(ImageHeight)), (ImageWidth, PatchSize, nameof(ImageWidth)), (Width, Heads, nameof(Width)),
        })
            if (value % step != 0)
                throw new ArgumentException($"{name} is {value}, expected a multiple of {step}.", name);
        if (!Enum.IsDefined(Attention))
            throw new ArgumentException($"Attention is {Attention}, expected one of {string.Join(", ", Enum.GetNames<VideoAttention>())}.", nameof(Attention));
    }
}
