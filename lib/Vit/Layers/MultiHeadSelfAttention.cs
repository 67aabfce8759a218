using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Every token looks at every token, in h heads at once (appendix A, Eq. 5–8).</summary>
public sealed class MultiHeadSelfAttention : nn.Module<Tensor, Tensor>
{
    readonly double dropout;

    /// <summary>Query, key and value of all heads in one projection; weight [3 · D, D].</summary>
    public readonly Linear qkv;

    /// <summary>The output projection; weight [D, D].</summary>
    public readonly Linear proj;

    /// <summary>h.</summary>
    public int Heads { get; }

    /// <summary>
    /// Whether <see cref="forward"/> uses libtorch's fused kernel, which never holds the attention weights in memory,
    /// or computes them step by step; null for what is faster, by what was measured: on a CPU step by step, unless the
    /// weights would take more than 8 MB (128 MB in bfloat16). Both give the same output.
    /// </summary>
    public bool? Fused { get; set; }

    /// <summary>Creates the projections, Xavier uniform with zero biases as in the paper's code.</summary>
    /// <param name="width">D, a multiple of the heads.</param>
    /// <param name="heads">h.</param>
    /// <param name="bias">Whether query, key and value have a bias.</param>
    /// <param name="dropout">The share of attention weights that is dropped in training.</param>
    /// <param name="fused">See <see cref="Fused"/>.</param>
    /// <exception cref="ArgumentException">D is no multiple of h.</exception>
    public MultiHeadSelfAttention(int width, int heads, bool bias = true, double dropout = 0, bool? fused = null)
        : base(nameof(MultiHeadSelfAttention))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        if (width <= 0 || width % heads != 0)
            throw new ArgumentException(
                $"A width of {width} does not divide among {heads} heads; {Math.Max(1, (width + heads / 2) / heads) * heads} would fit.", nameof(width));
        (Heads, Fused, this.dropout) = (heads, fused, dropout);
        qkv = Initialization.Linear(width, 3 * width, bias: bias);
        proj = Initialization.Linear(width, width);
        Initialization.XavierUniform(qkv, stacked: 3);
        Initialization.XavierUniform(proj);
        RegisterComponents();
    }

    /// <param name="tokens">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    /// <exception cref="ArgumentException">The tokens are not [B, T, D].</exception>
    public override Tensor forward(Tensor tokens)
    {
        if (!(Fused ?? FusedIsFaster(tokens)))
            return Explicit(tokens, keepWeights: false).Output;
        using var scope = NewDisposeScope();
        var (q, k, v) = Project(tokens);
        var heads = nn.functional.scaled_dot_product_attention(q, k, v, p: training ? dropout : 0);
        return Merge(heads).MoveToOuterDisposeScope();
    }

    bool FusedIsFaster(Tensor tokens)
    {
        if (tokens.device_type != DeviceType.CPU || tokens.dim() != 3)
            return true;
        var weights = tokens.shape[0] * Heads * tokens.shape[1] * tokens.shape[1];
        return weights > (tokens.dtype == ScalarType.BFloat16 ? 1 << 26 : 1 << 21);
    }

    /// <summary>The same output, with what each token looked at.</summary>
    /// <param name="tokens">[B, T, D].</param>
    /// <returns>The output [B, T, D] and the attention weights [B, h, T, T], whose rows sum to 1.</returns>
    /// <exception cref="ArgumentException">The tokens are not [B, T, D].</exception>
    public (Tensor Output, Tensor Weights) Trace(Tensor tokens)
    {
        var (output, weights) = Explicit(tokens, keepWeights: true);
        return (output, weights!);
    }

    (Tensor Output, Tensor? Weights) Explicit(Tensor tokens, bool keepWeights)
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = Project(tokens);
        var scores = matmul(q / Math.Sqrt(q.shape[^1]), k.transpose(-2, -1));          // [B, h, T, T], Eq. 6
        var weights = scores.softmax(-1);
        var heads = matmul(nn.functional.dropout(weights, dropout, training), v);      // [B, h, T, d], Eq. 7
        return (Merge(heads).MoveToOuterDisposeScope(), keepWeights ? weights.MoveToOuterDisposeScope() : null);
    }

    (Tensor Q, Tensor K, Tensor V) Project(Tensor tokens)
    {
        if (tokens.dim() != 3 || tokens.shape[2] != proj.weight.shape[0])
            throw new ArgumentException($"Tokens are [B, T, {proj.weight.shape[0]}], given were {Shape.Of(tokens)}.", nameof(tokens));
        var (B, T, D) = (tokens.shape[0], tokens.shape[1], tokens.shape[2]);
        var parts = FusedLinear.Apply(qkv, tokens)       // [B, T, 3 · D], Eq. 5
            .reshape(B, T, 3, Heads, D / Heads)
            .unbind(2);                                  // 3 × [B, T, h, d]
        return (parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2));
    }

    Tensor Merge(Tensor heads) =>
        FusedLinear.Apply(proj, heads.transpose(1, 2).flatten(2));  // [B, h, T, d] → [B, T, D], Eq. 8
}
