using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>The class token's row of the attention rollout (arXiv:2005.00928).</summary>
    /// <param name="classRollout">From the weights of each block, first to last, [B, h, T, T] each, to [B, T].</param>
    public static string ClassRollout(Func<IReadOnlyList<Tensor>, Tensor> classRollout)
    {
        const int images = 3, tokens = 5;
        using var scope = NewDisposeScope();
        using var generator = new Generator(10);
        Tensor[] weights = [.. Enumerable.Range(0, 4).Select(_ => (2 * randn([images, 2, tokens, tokens], generator: generator)).softmax(-1))];
        var yours = classRollout(weights);
        if (!yours.shape.SequenceEqual([images, tokens]))
            return WrongShape(yours, $"[B, T] = [{images}, {tokens}]");
        Tensor Row(IEnumerable<Tensor> blocks, Func<Tensor, Tensor> step)
        {
            var row = zeros(images, 1, tokens);
            row.select(2, 0).fill_(1);
            foreach (var block in blocks)
                row = row.bmm(step(block));
            return row.squeeze(1);
        }
        Tensor WithResidual(Tensor block) => (block.mean([1]) + eye(tokens)) / 2;
        if (Same(yours, Row(weights.Reverse(), WithResidual)))
            return "Right: the way begins at the last block, where the class token asks, and goes down.";
        if (Same(yours, Row(weights, WithResidual)))
            return "Not yet: the blocks come in the wrong order. In which block does the class token ask last?";
        if (Same(yours, Row(weights.Reverse(), block => block.mean([1]))))
            return "Not yet: this follows attention alone; what a token keeps of itself, by the residual, is missing.";
        if (Same(yours, weights[^1].mean([1]).select(1, 0)))
            return "Not yet: this is the last block alone.";
        return (yours.sum([1]) - 1).abs().max().item<float>() > 1e-4
            ? "Not yet: a row should sum to 1 after each block."
            : "Not yet: the rows sum to 1, but this is another row. Whose is it, and over which blocks?";
    }

    /// <summary>The entropy of heads.</summary>
    /// <param name="entropy">From weights [B, h, T, T] to the mean over images and tokens, [h].</param>
    public static string EntropyOfHeads(Func<Tensor, Tensor> entropy)
    {
        using var scope = NewDisposeScope();
        var (focused, even, graded) = (eye(8), ones(8, 8) / 8, ones(8, 8).tril());
        graded = graded / graded.sum(-1, keepdim: true);    // row i takes from i + 1 tokens alike
        var yours = entropy(stack([stack([focused, even, graded]), stack([focused, even, focused])]));    // of [2, 3, 8, 8]
        if (!yours.shape.SequenceEqual([3]))
            return WrongShape(yours, "[h] = [3]");
        if (yours.isnan().any().item<bool>())
            return "Not yet: one of the heads has a weight of 0, and its entropy has become no number.";
        double[] found = [.. yours.to(float32).data<float>().Select(value => (double)value)];
        var mean = Enumerable.Range(1, 8).Sum(i => Math.Log(i)) / 8 / 2;    // one of two images, eight tokens
        if (Near(found[0], 0) && Near(found[1], Math.Log(8)))
            return Near(found[2], mean)
                ? "Right: 0 for the head that takes from one token, ln 8 for the one that takes from eight alike."
                : "Not yet: two of the heads are right. The third is not the same for all images and tokens.";
        if (Near(found[1], -Math.Log(8)))
            return "Not yet: the sign.";
        return Near(found[1], 3)
            ? "Not yet: this is counted in bits; the formula has the natural logarithm."
            : "Not yet: a head that takes from all tokens alike has the largest entropy there is. What is yours?";
    }
}
