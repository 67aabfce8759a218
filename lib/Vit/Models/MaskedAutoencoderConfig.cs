namespace Vit.Models;

/// <summary>What a <see cref="MaskedAutoencoder"/> has beside its encoder.</summary>
public sealed record MaskedAutoencoderConfig
{
    /// <summary>The share of patches that the encoder does not see, between 0 and 1.</summary>
    public double MaskShare { get; init; } = 0.75;

    /// <summary>D', the decoder's width, a multiple of 4 and of <see cref="DecoderHeads"/>.</summary>
    public int DecoderWidth { get; init; } = 512;

    /// <summary>The decoder's blocks.</summary>
    public int DecoderLayers { get; init; } = 8;

    /// <summary>Heads in each of them.</summary>
    public int DecoderHeads { get; init; } = 16;

    /// <summary>Whether the pixels of each patch are brought to mean 0 and deviation 1 before they are compared.</summary>
    public bool NormalizeTargets { get; init; }
}
