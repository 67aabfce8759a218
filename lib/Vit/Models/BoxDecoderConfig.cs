namespace Vit.Models;

/// <summary>All that determines a <see cref="BoxDecoder"/> but its weights.</summary>
public sealed record BoxDecoderConfig
{
    /// <summary>Q: how many boxes are answered for an image, most of which say "no object".</summary>
    public required int Queries { get; init; }

    /// <summary>K, without "no object".</summary>
    public required int Classes { get; init; }

    /// <summary>Rows of the encoder's tokens, which lie on a grid.</summary>
    public required int GridRows { get; init; }

    /// <summary>Columns of the encoder's tokens.</summary>
    public required int GridColumns { get; init; }

    /// <summary>D, that of the tokens it looks at; a multiple of the heads and of 4, at least 8.</summary>
    public required int Width { get; init; }

    /// <summary>The length of the feed-forward's hidden layer.</summary>
    public required int MlpWidth { get; init; }

    /// <summary>h.</summary>
    public required int Heads { get; init; }

    /// <summary>How many blocks; each one's answer is trained.</summary>
    public required int Layers { get; init; }
}
