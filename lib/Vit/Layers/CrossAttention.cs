using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Some tokens look at others, in h heads at once: queries come from the first, keys and values from the second (arXiv:1706.03762, section 3.2.3).</summary>
public sealed class CrossAttention : nn.Module<Tensor, Tensor, Tensor>
{
    /// <summary>The queries of all heads; weight [D, D].</summary>
    public readonly Linear q;

    /// <summary>Key and value of all heads in one projection; weight [2 · D, D].</summary>
    public readonly Linear kv;

    /// <summary>The output projection; weight [D, D].</summary>
    public readonly Linear proj;

    /// <summary>h.</summary>
    public int Heads { get; }

    /// <summary>Creates the projections, Xavier uniform with zero biases; that of the queries starts as a copy of that of the keys.</summary>
    /// <param name="width">D, a multiple of the heads.</param>
    /// <param name="heads">h.</param>
    /// <exception cref="ArgumentException">D is no multiple of h.</exception>
    public CrossAttention(int width, int heads) : base(nameof(CrossAttention))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        if (width <= 0 || width % heads != 0)
            throw new ArgumentException($"A width of {width} does not divide among {heads} heads.", nameof(width));
        Heads = heads;
        q = Initialization.Linear(width, width);
        kv = Initialization.Linear(width, 2 * width);
        proj = Initialization.Linear(width, width);
        Initialization.XavierUniform(kv, stacked: 2);
        // A query and a key that hold the same find each other from the first step on.
        using (no_grad())
        {
            q.weight.copy_(kv.weight.narrow(0, 0, width));
            nn.init.zeros_(q.bias!);
        }
        Initialization.XavierUniform(proj);
        RegisterComponents();
    }

    /// <param name="tokens">What looks, [B, Q, D].</param>
    /// <param name="memory">What is looked at, [B, T, D].</param>
    /// <returns>[B, Q, D].</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public override Tensor forward(Tensor tokens, Tensor memory)
    {
        using var scope = NewDisposeScope();
        return Trace(tokens, memory).Output.MoveToOuterDisposeScope();
    }

    /// <summary>The same output, with what each token looked at.</summary>
    /// <param name="tokens">What looks, [B, Q, D].</param>
    /// <param name="memory">What is looked at, [B, T, D].</param>
    /// <returns>The output [B, Q, D] and the attention weights [B, h, Q, T], whose rows sum to 1.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public (Tensor Output, Tensor Weights) Trace(Tensor tokens, Tensor memory)
    {
        var width = proj.weight.shape[0];
        if (tokens.dim() != 3 || memory.dim() != 3 || tokens.shape[0] != memory.shape[0] || tokens.shape[2] != width || memory.shape[2] != width)
            throw new ArgumentException($"Tokens [B, Q, {width}] look at [B, T, {width}], given were {Shape.Of(tokens)} and {Shape.Of(memory)}.", nameof(tokens));
        using var scope = NewDisposeScope();
        var d = width / Heads;
        Tensor Split(Tensor all, long count) => all.reshape(all.shape[0], all.shape[1], count, Heads, d).permute(2, 0, 3, 1, 4);
        var asked = Split(FusedLinear.Apply(q, tokens), 1)[0];                                 // [B, h, Q, d]
        var given = Split(FusedLinear.Apply(kv, memory), 2);                                   // [2, B, h, T, d]
        var weights = matmul(asked / Math.Sqrt(d), given[0].transpose(-2, -1)).softmax(-1);    // [B, h, Q, T]
        var heads = matmul(weights, given[1]).transpose(1, 2).flatten(2);                      // [B, Q, D]
        return (FusedLinear.Apply(proj, heads).MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope());
    }
}
