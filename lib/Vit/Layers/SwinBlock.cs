using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Window attention, then a feed-forward, each after a LayerNorm and beside a residual (arXiv:2103.14030, Eq. 3).</summary>
public sealed class SwinBlock : nn.Module<Tensor, Tensor>
{
    readonly DropPath path;

    /// <summary>Before the attention.</summary>
    public readonly LayerNorm norm1;

    /// <summary>The attention (W-MSA or SW-MSA).</summary>
    public readonly WindowAttention attn;

    /// <summary>Before the feed-forward.</summary>
    public readonly LayerNorm norm2;

    /// <summary>The feed-forward, 4 · D wide.</summary>
    public readonly FeedForward mlp;

    /// <summary>Creates the block; the parameters are those of <see cref="WindowAttention"/>.</summary>
    /// <exception cref="ArgumentException">The grid is no multiple of the window, D none of h, or the shift no part of a window.</exception>
    public SwinBlock(int width, int heads, int rows, int columns, int window, int shift, double dropPath = 0, double epsilon = 1e-5)
        : base(nameof(SwinBlock))
    {
        norm1 = nn.LayerNorm(width, epsilon);
        attn = new WindowAttention(width, heads, rows, columns, window, shift);
        norm2 = nn.LayerNorm(width, epsilon);
        mlp = new FeedForward(width, 4 * width);
        path = new DropPath(dropPath);
        RegisterComponents();
    }

    /// <param name="tokens">[B, rows, columns, D].</param>
    /// <returns>[B, rows, columns, D].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        tokens = tokens + path.call(attn.call(norm1.call(tokens)));
        return (tokens + path.call(mlp.call(norm2.call(tokens)))).MoveToOuterDisposeScope();
    }
}
