using TorchSharp.Modules;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>
/// Learns without labels (arXiv:2111.06377): most patches are hidden, the encoder sees the others, and a small decoder says
/// what the hidden pixels are. Afterwards the decoder is thrown away.
/// </summary>
/// <remarks>Parts carry the names of the authors' code, but for those of the encoder, which stand under <see cref="encoder"/>.</remarks>
public sealed class MaskedAutoencoder : nn.Module<Tensor, Tensor>
{
    /// <summary>What is trained; it needs no head.</summary>
    public readonly VisionTransformer encoder;

    /// <summary>From the encoder's width to the decoder's.</summary>
    public readonly Linear decoder_embed;

    /// <summary>Stands for each hidden patch, [1, 1, D'].</summary>
    public readonly Parameter mask_token;

    /// <summary>2-D sines, a buffer, [1, N, D'].</summary>
    public readonly Tensor decoder_pos_embed;

    /// <summary>The decoder.</summary>
    public readonly ModuleList<EncoderBlock> decoder_blocks;

    /// <summary>After the decoder's last block.</summary>
    public readonly LayerNorm decoder_norm;

    /// <summary>To pixels, weight [C · P · P, D'].</summary>
    public readonly Linear decoder_pred;

    /// <summary>What the decoder was made from.</summary>
    public MaskedAutoencoderConfig Config { get; }

    /// <summary>Creates a fresh decoder for an encoder.</summary>
    /// <param name="encoder">It becomes a part of this module.</param>
    /// <param name="config">Null for the paper's decoder.</param>
    /// <exception cref="ArgumentException">The decoder's width does not fit its heads or its positions, or the mask would hide no patch or all.</exception>
    public MaskedAutoencoder(VisionTransformer encoder, MaskedAutoencoderConfig? config = null) : base(nameof(MaskedAutoencoder))
    {
        Config = config ??= new();
        this.encoder = encoder;
        var (of, width) = (encoder.Config, config.DecoderWidth);
        if (config.DecoderHeads <= 0 || config.DecoderLayers < 0)
            throw new ArgumentException($"A decoder has at least one head and no negative number of blocks, given were {config.DecoderHeads} and {config.DecoderLayers}.", nameof(config));
        if (Shown < 1 || Shown >= PatchCount)
            throw new ArgumentException($"A mask hides at least one of {PatchCount} patches and leaves at least one, but a share of {config.MaskShare} leaves {Shown}.", nameof(config));
        decoder_embed = Initialization.Linear(of.Width, width);
        mask_token = nn.Parameter(0.02 * randn(1, 1, width));
        decoder_pos_embed = PositionEmbedding.Table(PositionKind.SinCos2D, of.GridRows, of.GridColumns, width);
        decoder_blocks = [.. Enumerable.Range(0, config.DecoderLayers).Select(_ => new EncoderBlock(width, config.DecoderHeads, 4 * width))];
        decoder_norm = nn.LayerNorm(width, 1e-6);
        decoder_pred = Initialization.Linear(width, of.Channels * of.PatchSize * of.PatchSize);
        RegisterComponents();
    }

    int PatchCount => encoder.Config.Tokens - encoder.Config.ExtraTokens;

    /// <summary>V: how many patches the encoder sees.</summary>
    public int Shown => (int)Math.Round(PatchCount * (1 - Config.MaskShare));

    /// <summary>Hides other patches of each image and tells how badly they were guessed.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>The loss, one number: the mean squared difference of the hidden pixels.</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the encoder was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var shown = encoder.RandomPatches(images, Shown);
        return Loss(images, shown, Reconstruct(images, shown)).MoveToOuterDisposeScope();
    }

    /// <summary>What the decoder makes of some of the patches.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="shown">The patches that the encoder sees, [B, V], int64, from 0 to N - 1, each at most once in an image.</param>
    /// <returns>All patches, [B, N, C · P · P], as <see cref="Patches.Cut"/> orders them; those that were shown count for nothing in the loss.</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the encoder was made for, or the patches are not [B, V].</exception>
    public Tensor Reconstruct(Tensor images, Tensor shown)
    {
        using var scope = NewDisposeScope();
        var (B, extra, width) = (images.shape[0], encoder.Config.ExtraTokens, Config.DecoderWidth);
        var seen = decoder_embed.call(encoder.ForwardFeatures(images, shown));                          // [B, E + V, D']
        var patches = mask_token.expand(B, PatchCount, width)
            .scatter(1, shown.unsqueeze(-1).expand(-1, -1, width), seen.slice(1, extra, seen.shape[1], 1));
        var tokens = cat([seen.slice(1, 0, extra, 1), patches + decoder_pos_embed], 1);                 // [B, T, D']
        foreach (var block in decoder_blocks)
            tokens = block.call(tokens);
        return decoder_pred.call(decoder_norm.call(tokens)).slice(1, extra, extra + PatchCount, 1).MoveToOuterDisposeScope();
    }

    /// <summary>How badly the hidden patches were guessed.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="shown">The patches that were not hidden, [B, V].</param>
    /// <param name="reconstructed">[B, N, C · P · P].</param>
    /// <returns>One number.</returns>
    public Tensor Loss(Tensor images, Tensor shown, Tensor reconstructed)
    {
        using var scope = NewDisposeScope();
        var target = Patches.Cut(images, encoder.Config.PatchSize);
        if (Config.NormalizeTargets)
            target = (target - target.mean([-1], keepdim: true)) / (target.var(-1, keepdim: true) + 1e-6).sqrt();
        var hidden = ones(images.shape[0], PatchCount, device: images.device).scatter_(1, shown, zeros_like(shown, dtype: ScalarType.Float32));
        var difference = (reconstructed - target).square().mean([-1]);                                  // [B, N]
        return ((difference * hidden).sum() / hidden.sum()).MoveToOuterDisposeScope();
    }
}
