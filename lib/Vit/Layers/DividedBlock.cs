using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Divided space-time attention (arXiv:2102.05095, section 3): a token looks first at its own place in all times, then at all places in its own time.</summary>
/// <remarks>Without a class token, and without the linear layer that the paper's code has behind the attention in time.</remarks>
public sealed class DividedBlock : nn.Module<Tensor, Tensor>
{
    /// <summary>Before the attention in time.</summary>
    public readonly LayerNorm norm_time;

    /// <summary>Among the tokens of one place.</summary>
    public readonly MultiHeadSelfAttention attn_time;

    /// <summary>Attention among the tokens of one time, and the feed-forward.</summary>
    public readonly EncoderBlock space;

    /// <summary>G, how many times there are.</summary>
    public int Times { get; }

    /// <summary>Creates the block.</summary>
    /// <param name="width">D.</param>
    /// <param name="heads">h, of both attentions.</param>
    /// <param name="mlpWidth">M.</param>
    /// <param name="times">G, how many times there are.</param>
    /// <exception cref="ArgumentException">D is no multiple of h.</exception>
    public DividedBlock(int width, int heads, int mlpWidth, int times) : base(nameof(DividedBlock))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(times);
        Times = times;
        norm_time = nn.LayerNorm(width, 1e-6);
        attn_time = new MultiHeadSelfAttention(width, heads);
        space = new EncoderBlock(width, heads, mlpWidth);
        RegisterComponents();
    }

    /// <param name="tokens">[B, T, D], T = G · N, time by time.</param>
    /// <returns>[B, T, D].</returns>
    /// <exception cref="ArgumentException">T is no multiple of G.</exception>
    public override Tensor forward(Tensor tokens)
    {
        if (tokens.dim() != 3 || tokens.shape[1] % Times != 0)
            throw new ArgumentException($"Tokens are [B, {Times} · N, D], given were {Shape.Of(tokens)}.", nameof(tokens));
        var (B, T, D) = (tokens.shape[0], tokens.shape[1], tokens.shape[2]);
        long G = Times, N = T / G;
        using var scope = NewDisposeScope();
        var byPlace = tokens.reshape(B, G, N, D).transpose(1, 2).reshape(B * N, G, D);
        byPlace = byPlace + attn_time.call(norm_time.call(byPlace));
        var byTime = byPlace.reshape(B, N, G, D).transpose(1, 2).reshape(B * G, N, D);
        return space.call(byTime).reshape(B, T, D).MoveToOuterDisposeScope();
    }
}
