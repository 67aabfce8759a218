using static TorchSharp.torch;

namespace Vit.Inspection;

/// <summary>How vectors relate to one another: positions, patches, filters, one a row.</summary>
public static class Vectors
{
    /// <summary>The cosine of the angle between each two rows (Fig. 7, centre, of arXiv:2010.11929, for position embeddings).</summary>
    /// <param name="rows">[N, D].</param>
    /// <returns>[N, N], 1 on the diagonal; 0 for a row of zeros.</returns>
    /// <exception cref="ArgumentException">The rows are not [N, D].</exception>
    public static Tensor CosineSimilarity(Tensor rows)
    {
        Check(rows);
        using var scope = NewDisposeScope();
        var unit = rows / rows.norm(1, keepdim: true).clamp_min(1e-12);
        return unit.mm(unit.t()).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The directions along which the rows differ most, first the strongest (Fig. 7, left, of arXiv:2010.11929, for the patch embedding's filters).
    /// A direction's sign is free; here its largest entry is positive.
    /// </summary>
    /// <param name="rows">[N, D].</param>
    /// <param name="count">k, at most the smaller of N and D.</param>
    /// <returns>The directions [k, D], of length 1; where each row lies along them [N, k]; and the share of the variance that each explains [k].</returns>
    /// <exception cref="ArgumentException">The rows are not [N, D].</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many directions.</exception>
    public static (Tensor Directions, Tensor Scores, Tensor Explained) PrincipalComponents(Tensor rows, int count)
    {
        Check(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Math.Min(rows.shape[0], rows.shape[1]));
        using var scope = NewDisposeScope();
        var centred = rows - rows.mean([0], keepdim: true);
        var (_, singular, vectors) = linalg.svd(centred, fullMatrices: false);
        var directions = vectors.slice(0, 0, count, 1);                                        // [k, D]
        var largest = directions.gather(1, directions.abs().argmax(1, keepdim: true));         // [k, 1]
        directions = directions * largest.sign();
        var variance = singular.square();
        return (directions.MoveToOuterDisposeScope(),
            centred.mm(directions.t()).MoveToOuterDisposeScope(),
            (variance.slice(0, 0, count, 1) / variance.sum()).MoveToOuterDisposeScope());
    }

    static void Check(Tensor rows)
    {
        if (rows.dim() != 2)
            throw new ArgumentException($"Found {Shape.Of(rows)}, expected rows [N, D].", nameof(rows));
    }
}
