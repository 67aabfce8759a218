using Vit.Models;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests;

/// <summary>Records that hold lists.</summary>
public class ValuesTests
{
    [Fact]
    public void Records_with_lists_compare_by_value()
    {
        SwinTransformerConfig Swin(int heads) => new() { Width = 96, Depths = [2, 2, 6, 2], Heads = [3, 6, 12, heads] };
        Same(Swin(24), SwinTransformerConfig.T, Swin(48));
        Same(new ConvNetConfig { Widths = [16, 32, 64] }, new ConvNetConfig(), new ConvNetConfig { Widths = [16, 32, 48] });
        HybridVisionTransformerConfig Hybrid(params int[] stages) => new() { Encoder = VisionTransformerConfig.Micro, Stages = stages };
        Same(Hybrid(2, 2), Hybrid(2, 2), Hybrid(2, 3));
        Same(new WeightMismatch(["a"], [], []), new WeightMismatch(["a"], [], []), new WeightMismatch(["b"], [], []));
        Same(new StoredTensor(float32, [2, 3], 0, 24), new StoredTensor(float32, [2, 3], 0, 24), new StoredTensor(float32, [3, 2], 0, 24));
    }

    static void Same<T>(T one, T same, T other) where T : class
    {
        Assert.Equal(one, same);
        Assert.Equal(one.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(one, other);
    }
}
