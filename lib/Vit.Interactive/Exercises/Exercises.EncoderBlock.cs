using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>A norm that takes no mean off.</summary>
    /// <param name="rmsNorm">From tokens [B, T, D], a scale [D] and ε to [B, T, D].</param>
    public static string RmsNorm(Func<Tensor, Tensor, double, Tensor> rmsNorm)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        const double Epsilon = 1e-6;
        foreach (var size in new[] { 1.0, 1e-3 })
        {
            var (z, weight) = ((randn([2, 3, 8], generator: generator) + 0.5) * size, rand([8], generator: generator) + 0.5);
            var yours = rmsNorm(z, weight, Epsilon);
            if (!yours.shape.SequenceEqual(z.shape))
                return WrongShape(yours, "that of the tokens, [B, T, D]");
            bool Is(Tensor other) => Same(yours, other, 1e-4);
            var squares = z.square();
            var root = (squares.mean([-1], keepdim: true) + Epsilon).sqrt();
            if (Is(z / root * weight))
                continue;
            if (Is(nn.functional.layer_norm(z, [8], weight, null, Epsilon)))
                return "Not yet: this is LayerNorm; RMSNorm takes no mean off.";
            if (Is(z / root))
                return "Not yet: the scale is missing.";
            if (Is(z / (squares.sum([-1], keepdim: true) + Epsilon).sqrt() * weight))
                return "Not yet: the mean of the squares, not their sum.";
            if (Is(z / (squares.mean() + Epsilon).sqrt() * weight))
                return "Not yet: each token has its own root; you take the mean over all of them.";
            return size < 1
                ? "Not yet: ordinary tokens are right, faint ones are not. Does ε stand inside the root?"
                : "Not yet: read the sentence above word by word. Over which dimension does the mean go?";
        }
        return "Right: it costs a little less than LayerNorm, and its paper finds that models train as well with it.";
    }

    /// <summary>A block whose attention and feed-forward read the same normalised tokens.</summary>
    /// <param name="parallel">From a block and tokens [B, T, D] to [B, T, D].</param>
    public static string ParallelBlock(Func<EncoderBlock, Tensor, Tensor> parallel)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        using var block = Apart(() => new EncoderBlock(24, 2, 48));
        using (no_grad())
            foreach (var parameter in block.parameters())
                parameter.copy_(0.3 * randn(parameter.shape, generator: generator));
        var z = randn([2, 5, 24], generator: generator);
        var yours = parallel(block, z.clone());
        if (!yours.shape.SequenceEqual(z.shape))
            return WrongShape(yours, "that of the tokens, [B, T, D]");
        bool Is(Tensor other) => Same(yours, other, 1e-4);
        var normed = block.norm1.forward(z);
        var (attended, fed) = (block.attn.forward(normed), block.mlp.forward(normed));
        if (Is(z + attended + fed))
            return "Right: both branches can be computed at the same time, and one norm is saved.";
        if (Is(block.forward(z)))
            return "Not yet: this is the usual block, one after the other.";
        if (Is(attended + fed))
            return "Not yet: where is the residual?";
        if (Is(z + z + attended + fed))
            return "Not yet: the tokens are added once.";
        if (Is(z + attended + block.mlp.forward(block.norm2.forward(z))))
            return "Not yet: there is one norm for both, norm1.";
        if (Is(z + block.attn.forward(z) + block.mlp.forward(z)))
            return "Not yet: both read the normalised tokens.";
        return Is(z + attended + block.mlp.forward(block.norm1.forward(z + attended)))
            ? "Not yet: the feed-forward must not wait for the attention."
            : "Not yet: what does each branch read, and what is added at the end?";
    }
}
