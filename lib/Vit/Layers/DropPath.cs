using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>
/// Leaves out a residual branch for some samples of a batch in training, and scales the others up so that the mean
/// stays (stochastic depth, arXiv:1603.09382).
/// </summary>
public sealed class DropPath : nn.Module<Tensor, Tensor>
{
    /// <summary>The probability that a sample loses the branch.</summary>
    public double Rate { get; }

    /// <summary>Creates the layer.</summary>
    /// <param name="rate">At least 0, below 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is no such number.</exception>
    public DropPath(double rate) : base(nameof(DropPath))
    {
        if (rate is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "A drop-path rate is at least 0 and below 1.");
        Rate = rate;
    }

    /// <param name="branch">[B, …].</param>
    /// <returns>[B, …].</returns>
    public override Tensor forward(Tensor branch)
    {
        if (!training || Rate == 0)
            return branch.alias();
        using var scope = NewDisposeScope();
        var shape = branch.shape.Select((length, dimension) => dimension == 0 ? length : 1).ToArray();
        var kept = rand(shape, branch.dtype, branch.device).lt(1 - Rate).to(branch.dtype);
        return (branch * kept / (1 - Rate)).MoveToOuterDisposeScope();
    }
}
