using TorchSharp;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public class SwinTransformerTests
{
    static readonly SwinTransformerConfig Micro = new()
    {
        ImageHeight = 56,
        ImageWidth = 56,
        PatchSize = 2,
        Width = 24,
        Depths = [2, 2],
        Heads = [2, 4],
        Classes = 10,
    };

    public static TheoryData<string, long> ParameterCounts => new()
    {
        { "Swin-T", 28_288_354 },
        { "Swin-S", 49_606_258 },
        { "Swin-B", 87_768_224 },
    };

    [Theory, MemberData(nameof(ParameterCounts))]
    public void EveryConfiguration_HasItsPublishedNumberOfParameters(string name, long parameters)
    {
        using var model = new SwinTransformer(SwinTransformerConfig.Named[name]);
        Assert.Equal(parameters, model.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void NoConfiguration_IsMissingFromTheCounts() =>
        Assert.Equal(SwinTransformerConfig.Named.Keys.Order(), ParameterCounts.Select(row => row.Data.Item1).Order());

    [Fact]
    public void APatch_SeesItsWindowAlone_UntilTheWindowsAreShifted()
    {
        using var scope = NewDisposeScope();
        var model = new SwinTransformer(Micro);
        model.eval();
        var images = randn(1, 3, 56, 56);
        var changed = images.clone();
        changed[0, .., 0, 0] += 1;

        var (before, after) = (model.Trace(images).Blocks, model.Trace(changed).Blocks);

        // The first block's windows are 7 × 7 patches; the second's are shifted by 3, and what is rolled round the edge is kept apart.
        Assert.Equal(7 * 7, Touched(0));
        Assert.Equal(10 * 10, Touched(1));

        long Touched(int block) => (before[block] - after[block]).abs().amax(3).gt(1e-7).sum().item<long>();
    }

    [Fact]
    public void Images_need_not_be_square()
    {
        using var scope = NewDisposeScope();
        var model = new SwinTransformer(Micro with { ImageWidth = 112 });
        Assert.Equal([2, 10], model.forward(randn(2, 3, 56, 112)).shape);
        Assert.Contains("[B, 3, 56, 112]", Assert.Throws<ArgumentException>(() => model.forward(randn(2, 3, 56, 56))).Message);
    }

    [Fact]
    public void Everything_follows_the_model_to_another_type_and_device()
    {
        using var scope = NewDisposeScope();
        var model = new SwinTransformer(Micro);
        model.eval();
        var images = randn(1, 3, 56, 56);
        var blocks = model.Trace(images).Blocks;
        model.bfloat16();
        var rounded = model.Trace(images.bfloat16()).Blocks;
        Assert.Equal(ScalarType.BFloat16, rounded[^1].dtype);
        Assert.InRange((blocks[^1] - rounded[^1]).abs().mean().item<float>(), 0, 0.1f);
        if (!cuda.is_available())
            return;
        model.to(CUDA);
        Assert.Equal([1, 10], model.forward(images.bfloat16().to(CUDA)).shape);
    }

    [Fact]
    public void WhatDoesNotFit_IsTold()
    {
        Assert.Contains("windows of 7 × 7", Assert.Throws<ArgumentException>(() => new SwinTransformer(Micro with { ImageHeight = 64 })).Message);
        Assert.Contains("4 × 4 pixels", Assert.Throws<ArgumentException>(() => new SwinTransformer(Micro with { ImageHeight = 54 })).Message);
        Assert.Contains("each stage needs both", Assert.Throws<ArgumentException>(() => new SwinTransformer(Micro with { Heads = [2] })).Message);
        Assert.Contains("among 5 heads", Assert.Throws<ArgumentException>(() => new SwinTransformer(Micro with { Heads = [2, 5] })).Message);
    }
}
