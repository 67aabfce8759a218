using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>The bytes of all attention weights of ViT-B/16 for eight images of 384 × 384, in float32.</summary>
    /// <param name="bytes">For all blocks.</param>
    public static string BytesOfAttention(long bytes) => bytes switch
    {
        12L * 8 * 12 * 577 * 577 * 4 => "Right: about 1.5 GB, for 86 million parameters that take 0.35 GB themselves.",
        8L * 12 * 577 * 577 * 4 => "Not yet: one factor of 12 is missing; there are twelve heads and twelve blocks.",
        12L * 8 * 12 * 577 * 577 => "Not yet: these are the numbers; a float has 4 bytes.",
        12L * 8 * 12 * 576 * 576 * 4 => "Not yet: the class token is a token, too.",
        12L * 12 * 577 * 577 * 4 => "Not yet: that is one image; the batch has eight.",
        _ => "Not yet: blocks · images · heads · T · T · 4. What is T?",
    };

    /// <summary>Eq. 8 with one head silenced.</summary>
    /// <param name="withoutHead">From h heads [T, d], the matrix [D, D] and a head's number to [T, D].</param>
    public static string WithoutHead(Func<Tensor[], Tensor, int, Tensor> withoutHead)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        Tensor Some(params long[] shape) => randn(shape, generator: generator);
        Tensor[] heads = [Some(5, 2), Some(5, 2), Some(5, 2)];
        var matrix = Some(6, 6);
        var (headsBefore, before) = (heads.Select(x => x.clone()).ToArray(), matrix.clone());
        Tensor Part(int head, int rows) => headsBefore[head].matmul(before.narrow(0, rows * 2, 2));
        for (var i = 0; i < 3; i++)
        {
            var yours = withoutHead(heads, matrix, i);
            if (!Same(matrix, before))
                return "Not yet: your function has changed U_msa, and the next call would miss this head, too.";
            if (!yours.shape.SequenceEqual([5, 6]))
                return $"Not yet: the shape is {Shape.Of(yours)}, it should stay [5, 6].";
            var others = Enumerable.Range(0, 3).Where(j => j != i).ToArray();
            if (Same(yours, Part(others[0], others[0]) + Part(others[1], others[1])))
                continue;
            if (Same(yours, cat(headsBefore, 1).matmul(before)))
                return i == 0 ? "Not yet: all heads still speak." : "Not yet: the first head can be silenced, the others cannot.";
            return Same(yours, Part(i, i))
                ? "Not yet: only the silenced head speaks; it is the other way round."
                : $"Not yet: with head {i} silenced, the others must keep their own rows of U_msa, and their results must not change.";
        }
        return heads.Zip(headsBefore).All(x => Same(x.First, x.Second))
            ? "Right: the rest still speaks through its own rows of U_msa."
            : "Not yet: the results are right, but your function has changed the heads that it was given.";
    }

    /// <summary>The rows of a QKV weight, from head by head to part by part.</summary>
    /// <param name="reorder">From [3 · D, D] with rows as (h, 3, d), and h, to rows as (3, h, d).</param>
    public static string ReorderQkv(Func<Tensor, int, Tensor> reorder)
    {
        using var scope = NewDisposeScope();
        foreach (var (h, d) in new[] { (3, 2), (2, 4), (3, 4) })
        {
            var D = h * d;
            var expected = arange(3 * D).unsqueeze(1) * 100 + arange(D);    // [3 · D, D]: row · 100 + column
            var given = expected.reshape(3, h, d, D).transpose(0, 1).reshape(3 * D, D);
            var yours = reorder(given.clone(), h);
            if (!yours.shape.SequenceEqual(expected.shape))
                return $"Not yet: the shape is {Shape.Of(yours)}, it should stay {Shape.Of(expected)}.";
            if (yours.equal(expected).all().item<bool>())
                continue;
            if (yours.equal(given).all().item<bool>())
                return "Not yet: this is the order as it came.";
            return yours.select(1, 0).sort().Values.equal(expected.select(1, 0)).all().item<bool>()
                ? $"Not yet: these are whole rows in another order, but not the right one for {h} heads of {d}. "
                    + "Reshape to (h, 3, d, D), then swap two of the dimensions."
                : "Not yet: rows must move as a whole. Only the first dimension may be split up.";
        }
        return "Right: (h, 3, d, D), swap the first two, flatten again.";
    }
}
