using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>The weights of two keys whose scores are s and s + ln 3.</summary>
    /// <param name="first">The weight for s.</param>
    /// <param name="second">The weight for s + ln 3.</param>
    public static string TwoWeights(double first, double second) => (first, second) switch
    {
        _ when Near(first, 0.25) && Near(second, 0.75) =>
            "Right: the ratio of two weights is e to the difference of their scores, whatever s is.",
        _ when Near(first, 0.75) && Near(second, 0.25) =>
            "Not yet: the other way round; the larger score gets the larger weight.",
        (0, 0) => "Not yet: no weights have been entered.",
        _ when !Near(first + second, 1) => "Not yet: weights sum to 1.",
        _ => "Not yet: divide both by e to the power of s. What is e to the power of ln 3?",
    };

    static bool Near(double yours, double expected) => Math.Abs(yours - expected) < 1e-3;

    /// <summary>Attention in which no token takes from later ones.</summary>
    /// <param name="causal">From queries, keys and values, [T, d] each, to [T, d].</param>
    public static string Causal(Func<Tensor, Tensor, Tensor, Tensor> causal)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        Tensor Some() => randn([6, 4], generator: generator);
        var (q, k, v) = (Some(), Some(), Some());
        var yours = causal(q, k, v);
        if (!yours.shape.SequenceEqual(v.shape))
            return WrongShape(yours, "[T, d] as that of the values");
        var scores = q.matmul(k.t()) / 2;
        var later = ones(6, 6).triu(1).to(ScalarType.Bool);
        bool Is(Tensor weights) => Same(yours, weights.matmul(v));
        if (Is(scores.masked_fill(later, float.NegativeInfinity).softmax(-1)))
            return "Right: a score of minus infinity gets the weight 0, and the rest still sums to 1.";
        if (Is(scores.softmax(-1)))
            return "Not yet: every token still sees all.";
        if (Is(scores.softmax(-1).masked_fill(later, 0)))
            return "Not yet: the rows no longer sum to 1. Mask the scores, before the softmax.";
        if (Is(scores.masked_fill(later, 0).softmax(-1)))
            return "Not yet: a score of 0 is a score like any other; e to the power of 0 is 1.";
        if (Is(scores.masked_fill(later.t(), float.NegativeInfinity).softmax(-1)))
            return "Not yet: the mask lies on the wrong side of the diagonal.";
        return yours.isnan().any().item<bool>()
            ? "Not yet: some row has nothing left to look at. A token may look at itself."
            : "Not yet: which scores must become minus infinity before the softmax?";
    }
}
