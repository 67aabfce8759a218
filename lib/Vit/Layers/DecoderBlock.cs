using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Queries look at one another, then at an encoder's tokens, then go through a feed-forward; each after a LayerNorm and beside a residual.</summary>
/// <remarks>The decoder block of DETR (arXiv:2005.12872, section 3.2), with the norm first as in the encoder.</remarks>
public sealed class DecoderBlock : nn.Module<Tensor, Tensor, Tensor, Tensor>
{
    /// <summary>Before the queries look at one another.</summary>
    public readonly LayerNorm norm1;

    /// <summary>Among the queries.</summary>
    public readonly MultiHeadSelfAttention attn;

    /// <summary>Before the queries look at the encoder's tokens.</summary>
    public readonly LayerNorm norm2;

    /// <summary>From the queries to the encoder's tokens.</summary>
    public readonly CrossAttention cross;

    /// <summary>Before the feed-forward.</summary>
    public readonly LayerNorm norm3;

    /// <summary>The same for every query.</summary>
    public readonly FeedForward mlp;

    /// <summary>Creates the block.</summary>
    /// <param name="width">D.</param>
    /// <param name="heads">h.</param>
    /// <param name="mlpWidth">M.</param>
    /// <exception cref="ArgumentException">D is no multiple of h.</exception>
    public DecoderBlock(int width, int heads, int mlpWidth) : base(nameof(DecoderBlock))
    {
        norm1 = nn.LayerNorm(width, 1e-6);
        attn = new MultiHeadSelfAttention(width, heads);
        norm2 = nn.LayerNorm(width, 1e-6);
        cross = new CrossAttention(width, heads);
        norm3 = nn.LayerNorm(width, 1e-6);
        mlp = new FeedForward(width, mlpWidth);
        RegisterComponents();
    }

    /// <param name="queries">[B, Q, D].</param>
    /// <param name="memory">The encoder's tokens, [B, T, D].</param>
    /// <param name="positions">Added to the queries where they look, [1, Q, D].</param>
    /// <returns>[B, Q, D].</returns>
    public override Tensor forward(Tensor queries, Tensor memory, Tensor positions)
    {
        using var scope = NewDisposeScope();
        queries = queries + attn.call(norm1.call(queries) + positions);
        return Finish(queries, cross.call(norm2.call(queries) + positions, memory)).MoveToOuterDisposeScope();
    }

    /// <summary>The same output, with what each query looked at among the encoder's tokens.</summary>
    /// <param name="queries">[B, Q, D].</param>
    /// <param name="memory">The encoder's tokens, [B, T, D].</param>
    /// <param name="positions">Added to the queries where they look, [1, Q, D].</param>
    /// <returns>The queries [B, Q, D] and the weights of <see cref="cross"/>, [B, h, Q, T].</returns>
    public (Tensor Queries, Tensor Weights) Trace(Tensor queries, Tensor memory, Tensor positions)
    {
        using var scope = NewDisposeScope();
        queries = queries + attn.call(norm1.call(queries) + positions);
        var (looked, weights) = cross.Trace(norm2.call(queries) + positions, memory);
        return (Finish(queries, looked).MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope());
    }

    Tensor Finish(Tensor queries, Tensor looked)
    {
        queries = queries + looked;
        return queries + mlp.call(norm3.call(queries));
    }
}
