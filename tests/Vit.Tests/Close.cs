using static TorchSharp.torch;

namespace Vit.Tests;

/// <summary>Asserts that tensors agree.</summary>
static class Close
{
    public static void Equal(Tensor expected, Tensor actual, double tolerance = 1e-5)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = LargestDifference(expected, actual);
        Assert.True(difference <= tolerance, $"The largest difference is {difference:E2}, allowed is {tolerance:E2}.");
    }

    /// <summary>NaN where either tensor has one.</summary>
    public static double LargestDifference(Tensor a, Tensor b) =>
        (a.to(float64) - b.to(float64)).abs().max().item<double>();
}
