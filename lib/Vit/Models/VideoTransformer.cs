using TorchSharp.Modules;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>A Vision Transformer for films: tubelets as tokens, and attention over space and time.</summary>
/// <remarks>Small, as in notebook 20: no class token, the head reads the mean of all tokens.</remarks>
public sealed class VideoTransformer : nn.Module<Tensor, Tensor>
{
    /// <summary>Films to vectors.</summary>
    public readonly TubeletEmbedding tubelet_embed;

    /// <summary>Added to the tokens of one place, [1, 1, N, D].</summary>
    public readonly Parameter pos_embed;

    /// <summary>Added to the tokens of one time, [1, G, 1, D]; null where the model is not told.</summary>
    public readonly Parameter? time_embed;

    /// <summary>The encoder: each an <see cref="EncoderBlock"/>, or a <see cref="DividedBlock"/>.</summary>
    public readonly ModuleList<nn.Module<Tensor, Tensor>> blocks;

    /// <summary>Of every token, after the last block.</summary>
    public readonly LayerNorm norm;

    /// <summary>Of the mean of all tokens; weight [K, D], zero at first.</summary>
    public readonly Linear head;

    /// <summary>What the model was made from.</summary>
    public VideoTransformerConfig Config { get; }

    /// <summary>Creates the model with fresh weights.</summary>
    /// <exception cref="ArgumentException">The parts do not fit one another; the message says what would.</exception>
    public VideoTransformer(VideoTransformerConfig config) : base(nameof(VideoTransformer))
    {
        config.Check();
        Config = config;
        tubelet_embed = new(config.Channels, config.TubeletFrames, config.PatchSize, config.Width);
        pos_embed = nn.Parameter(randn(1, 1, config.Places, config.Width) * 0.02);
        blocks = [.. Enumerable.Range(0, config.Layers).Select(_ => config.Attention == VideoAttention.Joint
            ? (nn.Module<Tensor, Tensor>)new EncoderBlock(config.Width, config.Heads, config.MlpWidth)
            : new DividedBlock(config.Width, config.Heads, config.MlpWidth, config.Times))];
        norm = nn.LayerNorm(config.Width, 1e-6);
        head = Initialization.Head(config.Width, config.Classes)!;
        // Drawn last, so that all else starts with the same numbers with and without it.
        if (config.TimePositions)
            time_embed = nn.Parameter(randn(1, config.Times, 1, config.Width) * 0.02);
        RegisterComponents();
    }

    /// <param name="films">[B, F, C, H, W], or [B, F · C, H, W], frame after frame, as a trainer's images are.</param>
    /// <returns>Logits, [B, K].</returns>
    /// <exception cref="ArgumentException">The films have another size than the model was made for.</exception>
    public override Tensor forward(Tensor films)
    {
        using var scope = NewDisposeScope();
        var tokens = Embed(films);
        foreach (var block in blocks)
            tokens = block.call(tokens);
        return head.call(norm.call(tokens).mean([1])).MoveToOuterDisposeScope();
    }

    /// <summary>The tokens that the first block reads: tubelets with their positions.</summary>
    /// <param name="films">As <see cref="forward"/> takes them.</param>
    /// <returns>[B, T, D], T = G · N, time by time.</returns>
    /// <exception cref="ArgumentException">The films have another size than the model was made for.</exception>
    public Tensor Embed(Tensor films)
    {
        var c = Config;
        var (F, C, H, W) = ((long)c.Frames, (long)c.Channels, (long)c.ImageHeight, (long)c.ImageWidth);
        if (films.dim() is not (4 or 5) || !films.shape[1..].SequenceEqual(films.dim() == 5 ? [F, C, H, W] : [F * C, H, W]))
            throw new ArgumentException($"The model takes films [B, {F}, {C}, {H}, {W}] or [B, {F * C}, {H}, {W}], given were {Shape.Of(films)}.", nameof(films));
        using var scope = NewDisposeScope();
        var tokens = tubelet_embed.call(films.reshape(-1, F, C, H, W)).reshape(-1, c.Times, c.Places, c.Width) + pos_embed;
        if (time_embed is not null)
            tokens = tokens + time_embed;
        return tokens.flatten(1, 2).MoveToOuterDisposeScope();
    }
}
