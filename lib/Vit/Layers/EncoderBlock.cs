using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Attention, then a feed-forward, each after a LayerNorm and beside a residual (Eq. 2 and 3).</summary>
public sealed class EncoderBlock : nn.Module<Tensor, Tensor>
{
    /// <summary>Before the attention.</summary>
    public readonly LayerNorm norm1;

    /// <summary>The attention (MSA in Eq. 2).</summary>
    public readonly MultiHeadSelfAttention attn;

    /// <summary>The attention's factors; null where the model has none.</summary>
    public readonly LayerScale? ls1;

    /// <summary>Before the feed-forward.</summary>
    public readonly LayerNorm norm2;

    /// <summary>The feed-forward (MLP in Eq. 3).</summary>
    public readonly FeedForward mlp;

    /// <summary>The feed-forward's factors; null where the model has none.</summary>
    public readonly LayerScale? ls2;

    readonly DropPath path;
    readonly double dropout;

    /// <summary>Creates the block.</summary>
    /// <param name="width">D.</param>
    /// <param name="heads">h.</param>
    /// <param name="mlpWidth">M.</param>
    /// <param name="qkvBias">Whether query, key and value have a bias.</param>
    /// <param name="dropout">In the feed-forward and after both branches.</param>
    /// <param name="attentionDropout">Of the attention weights.</param>
    /// <param name="dropPath">The probability that a sample skips a branch in training.</param>
    /// <param name="layerScale">The first value of the branches' factors; null for none.</param>
    /// <param name="epsilon">Of the LayerNorms.</param>
    /// <param name="fusedAttention">See <see cref="MultiHeadSelfAttention.Fused"/>.</param>
    /// <exception cref="ArgumentException">D is no multiple of h.</exception>
    public EncoderBlock(
        int width, int heads, int mlpWidth, bool qkvBias = true, double dropout = 0, double attentionDropout = 0,
        double dropPath = 0, double? layerScale = null, double epsilon = 1e-6, bool? fusedAttention = null)
        : base(nameof(EncoderBlock))
    {
        this.dropout = dropout;
        norm1 = nn.LayerNorm(width, epsilon);
        attn = new MultiHeadSelfAttention(width, heads, qkvBias, attentionDropout, fusedAttention);
        norm2 = nn.LayerNorm(width, epsilon);
        mlp = new FeedForward(width, mlpWidth, dropout);
        path = new DropPath(dropPath);
        if (layerScale is double initial)
            (ls1, ls2) = (new LayerScale(width, initial), new LayerScale(width, initial));
        RegisterComponents();
    }

    /// <param name="tokens">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return Finish(tokens, attn.call(norm1.call(tokens))).MoveToOuterDisposeScope();
    }

    /// <summary>The same output, with what the attention looked at; hooks on <see cref="attn"/> itself do not fire.</summary>
    /// <param name="tokens">[B, T, D].</param>
    /// <returns>The tokens [B, T, D] and the attention weights [B, h, T, T].</returns>
    public EncoderBlockTrace Trace(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (attended, weights) = attn.Trace(norm1.call(tokens));
        return new EncoderBlockTrace(
            Finish(tokens, attended).MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope());
    }

    Tensor Finish(Tensor tokens, Tensor attended)
    {
        tokens = tokens + Branch(nn.functional.dropout(attended, dropout, training), ls1);     // Eq. 2
        return tokens + Branch(mlp.call(norm2.call(tokens)), ls2);                       // Eq. 3
    }

    Tensor Branch(Tensor output, LayerScale? scale) =>
        path.call(scale is null ? output : scale.call(output));
}
