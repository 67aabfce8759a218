using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Shown patches and mask tokens, brought back into the order of the grid.</summary>
    /// <param name="restore">From tokens [B, V, D], the mask token [1, 1, D] and the random order [B, N] to [B, N, D].</param>
    public static string RestoredOrder(Func<Tensor, Tensor, Tensor, Tensor> restore)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var order = rand([2, 7], generator: generator).argsort(1);
        var (seen, maskToken) = (randn([2, 3, 4], generator: generator), randn([1, 1, 4], generator: generator));
        var appended = cat([seen, maskToken.expand(2, 4, -1)], 1);
        var yours = restore(seen, maskToken, order);
        if (!yours.shape.SequenceEqual([2, 7, 4]))
            return WrongShape(yours, "[B, N, D] = [2, 7, 4]");
        if (Same(yours, appended.gather(1, order.argsort(1).unsqueeze(-1).expand(-1, -1, 4))))
            return "Right: the argsort of a permutation is its inverse.";
        if (Same(yours, appended))
            return "Not yet: the tokens still stand in the random order.";
        if (Same(yours, appended.gather(1, order.unsqueeze(-1).expand(-1, -1, 4))))
            return "Not yet: this applies the order once more; what undoes it?";
        return "Not yet: some tokens stand in the wrong place.";
    }

    /// <summary>Patches of mean 0 and variance 1 each.</summary>
    /// <param name="normalize">From [B, N, X] to the same.</param>
    public static string NormalizedPatches(Func<Tensor, Tensor> normalize)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var patches = 3 + 2 * randn([2, 3, 8], generator: generator);
        patches[0, 0] = 1;
        var mean = patches.mean([-1], keepdim: true);
        Tensor By(Tensor variance) => (patches - mean) / variance.sqrt();
        var yours = normalize(patches);
        if (!yours.shape.SequenceEqual(patches.shape))
            return WrongShape(yours, "as it was, [2, 3, 8]");
        if (Same(yours, By(patches.var(-1, keepdim: true) + 1e-6)))
            return "Right: a patch of one colour becomes zeros, and its texture is what counts in all others.";
        if (!yours.isfinite().all().item<bool>())
            return "Not yet: a patch of one colour has the variance 0, and divides by it.";
        if (Same(yours, By(patches.var(-1, unbiased: false, keepdim: true) + 1e-6)))
            return "Not yet: the unbiased variance divides by the number of pixels less 1.";
        if (Same(yours, patches - patches.mean()) || Same(yours, (patches - patches.mean()) / patches.std()))
            return "Not yet: this is the mean of all patches; each has its own.";
        if (Same(yours, patches - mean))
            return "Not yet: the mean is taken off, the variance is not 1 yet.";
        return "Not yet: look at one patch; its mean should be 0 and its variance 1.";
    }
}
