using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Class token, registers and patches in a row.</summary>
    /// <param name="withRegisters">From [1, 1, D], [1, R, D] and [B, N, D] to [B, 1 + R + N, D].</param>
    public static string WithRegisters(Func<Tensor, Tensor, Tensor, Tensor> withRegisters)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        Tensor Some(params long[] shape) => randn(shape, generator: generator);
        var (token, registers, patches) = (Some(1, 1, 3), Some(1, 4, 3), Some(5, 6, 3));
        Tensor yours;
        try
        {
            yours = withRegisters(token, registers, patches);
        }
        catch (ExternalException)
        {
            return "Not yet: cat needs the same B and D everywhere. The tokens have B = 1: expand them, and join along dimension 1.";
        }
        if (!yours.shape.SequenceEqual([5, 11, 3]))
            return WrongShape(yours, "[B, 1 + R + N, D] = [5, 11, 3]");
        if (!Same(yours.narrow(1, 0, 1), token.expand(5, 1, 3)))
            return "Not yet: the class token stands first.";
        if (!Same(yours.narrow(1, 1, 4), registers.expand(5, 4, 3)))
            return "Not yet: the registers follow the class token, in their order.";
        return Same(yours.narrow(1, 5, 6), patches) ? "Right: 1 + R + N tokens." : "Not yet: the patches come last, unchanged.";
    }

    /// <summary>A weighted mean of the patches, by a query.</summary>
    /// <param name="attentionPool">From patches [B, N, D] and a query [D] to [B, D].</param>
    public static string AttentionPool(Func<Tensor, Tensor, Tensor> attentionPool)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var (patches, query) = (randn([3, 7, 16], generator: generator), 2 * randn([16], generator: generator));
        var yours = attentionPool(patches, query);
        if (!yours.shape.SequenceEqual([3, 16]))
            return WrongShape(yours, "[B, D] = [3, 16]");
        Tensor Pool(double scale, int over)
        {
            var weights = (patches.matmul(query) * scale).softmax(over);    // [B, N]
            return (patches * weights.unsqueeze(2)).sum([1]);               // [B, D]
        }
        if (Same(yours, Pool(0.25, 1)))
            return "Right: and a query of zeros gives the plain mean, all weights being equal.";
        if (Same(yours, patches.mean([1])))
            return "Not yet: this is the mean, whatever the query is.";
        if (Same(yours, Pool(1, 1)))
            return "Not yet: divide by √D before the softmax.";
        return Same(yours, Pool(0.25, 0))
            ? "Not yet: the softmax goes over the patches, dimension 1, not over the images."
            : "Not yet: x · q gives one number per patch, [B, N]; softmax over N; then the weighted sum of the patches.";
    }
}
