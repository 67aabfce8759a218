using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public class HybridVisionTransformerTests
{
    /// <summary>As google-research/vision_transformer asserts them.</summary>
    public static TheoryData<string, long> ParameterCounts => new()
    {
        { "R+Ti/16", 6_337_704 },
        { "R26+S/32", 36_431_912 },
        { "R26+B/32", 101_383_976 },
        { "R50+B/16", 98_659_112 },
        { "R50+L/32", 328_994_856 },
    };

    [Theory, MemberData(nameof(ParameterCounts))]
    public void EveryConfiguration_HasItsPublishedNumberOfParameters(string name, long parameters)
    {
        using var model = new HybridVisionTransformer(HybridVisionTransformerConfig.Named[name]);
        Assert.Equal(parameters, model.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void NoConfiguration_IsMissingFromTheCounts() =>
        Assert.Equal(HybridVisionTransformerConfig.Named.Keys.Order(), ParameterCounts.Select(row => row.Data.Item1).Order());

    [Fact]
    public void TheEncoder_ReadsTheStemsMap()
    {
        using var scope = NewDisposeScope();
        var model = new HybridVisionTransformer(new HybridVisionTransformerConfig
        {
            Encoder = VisionTransformerConfig.Micro with { ImageHeight = 32, ImageWidth = 48, PatchSize = 1 },
            Stages = [1, 2],
        });
        model.eval();
        var images = randn(2, 3, 32, 48);
        Assert.Equal([2, 512, 4, 6], model.stem.forward(images).shape);
        var trace = model.Trace(images);
        Assert.Equal([2, 4 * 6, 48], trace.Patches.shape);
        Close.Equal(trace.Logits, model.forward(images));
        Close.Equal(trace.Logits, model.encoder.ForwardHead(model.ForwardFeatures(images)));
        model.ResetClassifier(4);
        Assert.Equal([2, 4], model.forward(images).shape);
        Assert.Equal(model.Config.Encoder.Classes, model.encoder.Config.Classes);
        Assert.Contains("[B, 3, 32, 48]", Assert.Throws<ArgumentException>(() => model.forward(randn(1, 3, 32, 32))).Message);
    }

    [Fact]
    public void TheKernelsScaleAndOffset_ChangeNothing()
    {
        using var scope = NewDisposeScope();
        var conv = new StandardizedConv2d(3, 8, 3, stride: 2);
        var images = randn(1, 3, 7, 9);
        var before = conv.forward(images);
        Assert.Equal([1, 8, 4, 5], before.shape);
        using (no_grad())
            conv.weight.mul_(100).add_(3);
        // What is left of them is the 1e-5 beside the deviation (about 0.2, of a kernel of 27 numbers).
        Close.Equal(before, conv.forward(images), 5e-4 * before.abs().max().item<float>());
    }

    [Fact]
    public void WhatDoesNotDivide_IsTold() =>
        Assert.Contains("stride of 8", Assert.Throws<ArgumentException>(() => new HybridVisionTransformer(new HybridVisionTransformerConfig
        {
            Encoder = VisionTransformerConfig.Micro with { ImageHeight = 28, PatchSize = 1 },
            Stages = [1, 1],
        })).Message);
}
