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
    public void EveryConfiguration_HasItsPublishedNumberOfParameters(string name, long parameters) =>
        Assert.Equal(parameters, ParameterCount.Of(() => new HybridVisionTransformer(HybridVisionTransformerConfig.Named[name])));

    /// <summary>A stem of a bottleneck that keeps the resolution and one that halves it, by the formulas of the paper's code (models_resnet.py).</summary>
    [Fact]
    public void TheStem_IsThatOfTheFormulas()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        random.manual_seed(3);
        var stem = new ResNetStem(3, [1, 1]);
        foreach (var parameter in stem.parameters())
            nn.init.normal_(parameter, parameter.dim() == 1 ? 0.5 : 0, 0.3);
        var images = randn(2, 3, 16, 16);

        // SAME of TensorFlow: what does not divide evenly is one more at the end.
        var root = Normed(Convolved(images, stem.conv_root, 2, (2, 3)), stem.gn_root).relu();          // 8 × 8
        var pooled = nn.functional.max_pool2d(Padded(root, (0, 1)), kernel_size: 3, stride: 2);        // 4 × 4
        var first = Unit(pooled, stem.units[0], 1, (1, 1));                                            // 4 × 4
        var expected = Unit(first, stem.units[1], 2, (0, 1));                                          // 2 × 2
        Assert.Equal([2, 512, 2, 2], expected.shape);
        Close.Equal(expected, stem.forward(images), 1e-5 * expected.abs().max().item<float>());

        static Tensor Unit(Tensor x, Bottleneck unit, int stride, (long, long) padding)
        {
            var hidden = Normed(Convolved(x, unit.conv1, 1, (0, 0)), unit.gn1).relu();
            hidden = Normed(Convolved(hidden, unit.conv2, stride, padding), unit.gn2).relu();
            hidden = Normed(Convolved(hidden, unit.conv3, 1, (0, 0)), unit.gn3);
            return (hidden + Normed(Convolved(x, unit.conv_proj!, stride, (0, 0)), unit.gn_proj!)).relu();
        }

        static Tensor Padded(Tensor x, (long Before, long After) by) => nn.functional.pad(x, [by.Before, by.After, by.Before, by.After]);

        static Tensor Convolved(Tensor x, StandardizedConv2d conv, long stride, (long, long) padding)
        {
            var kernels = conv.weight.flatten(1);
            var standard = (kernels - kernels.mean([1], keepdim: true)) / (kernels.var(1, unbiased: false, keepdim: true).sqrt() + 1e-5);
            return nn.functional.conv2d(Padded(x, padding), standard.view_as(conv.weight), strides: [stride, stride]);
        }

        static Tensor Normed(Tensor x, TorchSharp.Modules.GroupNorm norm)
        {
            var groups = x.reshape(x.shape[0], 32, -1);
            var standard = (groups - groups.mean([2], keepdim: true)) / (groups.var(2, unbiased: false, keepdim: true) + 1e-6).sqrt();
            return standard.view_as(x) * norm.weight!.reshape(1, -1, 1, 1) + norm.bias!.reshape(1, -1, 1, 1);
        }
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
        foreach (var other in new[] { randn(1, 3, 32, 32), randn(1, 1, 32, 48) })
            Assert.Contains("[B, 3, 32, 48]", Assert.Throws<ArgumentException>(() => model.forward(other)).Message);
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
