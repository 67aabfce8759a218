using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Attention over all keys, from what two halves of them gave (the online softmax of arXiv:2205.14135).</summary>
    /// <param name="join">
    /// From two triples to one: the highest score of each query [T, 1], the sum of its exponentials below that [T, 1], and
    /// the values mixed by these [T, d].
    /// </param>
    public static string JoinHalves(Func<(Tensor M, Tensor L, Tensor O), (Tensor M, Tensor L, Tensor O), (Tensor M, Tensor L, Tensor O)> join)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(13);
        Tensor Some(params long[] shape) => randn(shape, generator: generator);
        var (scores, values) = (3 * Some(5, 8), Some(8, 4));
        (Tensor M, Tensor L, Tensor O) Of(long first, long count)
        {
            var (part, m) = (scores.narrow(1, first, count), scores.narrow(1, first, count).amax([1], keepdim: true));
            var e = (part - m).exp();
            return (m, e.sum([1], keepdim: true), e.matmul(values.narrow(0, first, count)));
        }
        var (a, b) = (Of(0, 4), Of(4, 4));
        var right = Of(0, 8);
        var yours = join(a, b);
        if (!yours.M.shape.SequenceEqual([5, 1]))
            return WrongShape(yours.M, "[T, 1] for m");
        if (!yours.L.shape.SequenceEqual([5, 1]))
            return WrongShape(yours.L, "[T, 1] for ℓ");
        if (!yours.O.shape.SequenceEqual([5, 4]))
            return WrongShape(yours.O, "[T, d] for o");
        if (Same(yours.M, right.M) && Same(yours.L, right.L, 1e-4) && Same(yours.O, right.O, 1e-4))
            return "Right: each half was measured from its own highest score, and now both are from one.";
        if (Same(yours.L, a.L + b.L, 1e-4))
            return "Not yet: the two sums of exponentials are added as they are. From which score was each of them measured?";
        if (!Same(yours.M, right.M))
            return "Not yet: m should be the highest score of all keys, for each query.";
        if (Same(yours.L, right.L, 1e-4))
            return "Not yet: m and ℓ are right, o is not. The mixed values were measured from the same scores as the sums.";
        // The factors the wrong way round: the lower half's is above 1.
        return yours.L.gt(right.L).all().item<bool>()
            ? "Not yet: the half with the lower scores must lose weight, not gain it. Look at the sign."
            : "Not yet: m is right, ℓ is not. What does e to the power of s − m become when m rises?";
    }

    /// <summary>The multiply-adds of a block whose attention stays within windows.</summary>
    /// <param name="cost">From N tokens, the width D and a window's side in patches.</param>
    public static string CostOfWindows(Func<long, long, long, long> cost)
    {
        foreach (var (N, D, side) in new[] { (3136L, 96L, 7L), (784L, 192L, 7L), (64L, 32L, 4L), (4096L, 768L, 8L) })
        {
            var (yours, linear, inWindow) = (cost(N, D, side), 12 * N * D * D, side * side);
            if (yours == linear + 2 * N * inWindow * D)
                continue;
            if (yours == linear + 2 * N * N * D)
                return "Not yet: this is global attention; every token looks at all N.";
            if (yours == linear + 2 * inWindow * inWindow * D)
                return "Not yet: that is one window; how many are there?";
            if (yours == linear + 2 * N * side * D)
                return "Not yet: how many tokens does a window hold?";
            return yours == linear + N * inWindow * D
                ? "Not yet: attention has two products, the scores and the mixture."
                : $"Not yet: {yours:N0} for N = {N}, D = {D}, a window of {side} · {side}. How many tokens does each of the N look at?";
        }
        return "Right: N stands in both terms once, so twice as many patches cost twice as much.";
    }
}
