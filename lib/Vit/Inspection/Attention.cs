using static TorchSharp.torch;

namespace Vit.Inspection;

/// <summary>What attention weights tell about a model that was trained.</summary>
public static class Attention
{
    /// <summary>
    /// How much of each input token reaches each output token: in every layer the mean over the heads, half of it replaced by the
    /// identity for the residual, multiplied over the layers (attention rollout, arXiv:2005.00928, section 3; Fig. 6 of arXiv:2010.11929).
    /// </summary>
    /// <param name="weights">Of each encoder block, first to last, [B, h, T, T]; rows sum to 1.</param>
    /// <returns>[B, T, T]: row i tells what token i is made of; rows sum to 1.</returns>
    /// <exception cref="ArgumentException">There is no layer, or a layer's weights are not [B, h, T, T] as the first's.</exception>
    public static Tensor Rollout(IReadOnlyList<Tensor> weights)
    {
        if (weights.Count == 0)
            throw new ArgumentException("Found the weights of no layer, expected at least one.", nameof(weights));
        foreach (var layer in weights)
        {
            Check(layer, nameof(weights));
            if (layer.shape[0] != weights[0].shape[0] || layer.shape[2] != weights[0].shape[2])
                throw new ArgumentException($"Found {Shape.Of(layer)} beside {Shape.Of(weights[0])}; all layers need the same B and T.", nameof(weights));
        }
        using var scope = NewDisposeScope();
        var identity = eye(weights[0].shape[2], device: weights[0].device);
        var rollout = identity.expand(weights[0].shape[0], -1, -1);
        foreach (var layer in weights)
            rollout = ((layer.mean([1]) + identity) / 2).bmm(rollout);                         // [B, T, T]
        return rollout.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// How far heads look: the distance between the centres of the asking and the answering patch, weighted by attention,
    /// averaged over the asking patches and the images (appendix D.7 and Fig. 11 of arXiv:2010.11929). Tokens in front have no place and are left out.
    /// </summary>
    /// <param name="weights">[B, h, T, T]; the last rows · columns tokens are the patches, row by row.</param>
    /// <param name="rows">H / P.</param>
    /// <param name="columns">W / P.</param>
    /// <param name="patchSize">P, in pixels.</param>
    /// <returns>[h], in pixels.</returns>
    /// <exception cref="ArgumentException">The weights are not [B, h, T, T], or there are fewer tokens than patches.</exception>
    public static Tensor Distance(Tensor weights, int rows, int columns, int patchSize)
    {
        Check(weights, nameof(weights));
        var extra = weights.shape[^1] - rows * columns;
        if (extra < 0)
            throw new ArgumentException($"Found {weights.shape[^1]} tokens, expected at least the {rows} × {columns} patches.", nameof(weights));
        using var scope = NewDisposeScope();
        var y = arange(rows, dtype: float32, device: weights.device).repeat_interleave(columns);
        var x = arange(columns, dtype: float32, device: weights.device).repeat(rows);
        var distances = patchSize * ((y.unsqueeze(1) - y).square() + (x.unsqueeze(1) - x).square()).sqrt();      // [N, N]
        var patches = weights.slice(2, extra, weights.shape[2], 1).slice(3, extra, weights.shape[3], 1);         // [B, h, N, N]
        var mean = (patches * distances).sum(-1) / patches.sum(-1);                                              // [B, h, N]
        return mean.mean([0, 2]).MoveToOuterDisposeScope();
    }

    static void Check(Tensor weights, string argument)
    {
        if (weights.dim() != 4 || weights.shape[2] != weights.shape[3])
            throw new ArgumentException($"Found {Shape.Of(weights)}, expected attention weights [B, h, T, T].", argument);
    }
}
