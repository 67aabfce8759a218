using static TorchSharp.torch;

namespace Vit.Tests.Weights;

public static class SameBits
{
    /// <summary>The same type, shape and bits; NaN is equal to itself.</summary>
    public static void Assert(Tensor expected, Tensor actual)
    {
        Xunit.Assert.Equal(expected.dtype, actual.dtype);
        Xunit.Assert.Equal(expected.shape, actual.shape);
        Xunit.Assert.True(expected.contiguous().bytes.SequenceEqual(actual.contiguous().bytes), "the bits differ");
    }
}
