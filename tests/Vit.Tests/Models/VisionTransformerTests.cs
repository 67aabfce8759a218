using TorchSharp;
using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public class VisionTransformerTests
{
    /// <summary>As google-research/vision_transformer asserts them; micro by hand.</summary>
    public static TheoryData<string, long> ParameterCounts => new()
    {
        { "Ti/16", 5_717_416 },
        { "S/16", 22_050_664 },
        { "B/32", 88_224_232 },
        { "B/16", 86_567_656 },
        { "L/32", 306_535_400 },
        { "L/16", 304_326_632 },
        { "H/14", 632_045_800 },
        { "DeiT-Ti/16", 5_910_800 },
        { "DeiT-S/16", 22_436_432 },
        { "DeiT-B/16", 87_338_192 },
        { "micro", 95_530 },
    };

    [Theory, MemberData(nameof(ParameterCounts))]
    public void EveryConfiguration_HasItsPublishedNumberOfParameters(string name, long parameters) =>
        Assert.Equal(parameters, Count(VisionTransformerConfig.Named[name]));

    [Fact]
    public void NoConfiguration_IsMissingFromTheCounts()
    {
        var counted = ParameterCounts.Select(row => row.Data.Item1).Order();
        Assert.Equal(VisionTransformerConfig.Named.Keys.Order(), counted);

        var properties = typeof(VisionTransformerConfig).GetProperties()
            .Where(property => property.PropertyType == typeof(VisionTransformerConfig))
            .Select(property => (VisionTransformerConfig)property.GetValue(null)!);
        Assert.Equal(properties.ToHashSet(), VisionTransformerConfig.Named.Values.ToHashSet());
    }

    [Fact]
    public void AtAnotherResolution_OnlyThePositionsGrow()
    {
        Assert.Equal(86_859_496, Count(VisionTransformerConfig.B16 with { ImageHeight = 384, ImageWidth = 384 }));
        Assert.Equal(633_470_440, Count(VisionTransformerConfig.H14 with { ImageHeight = 518, ImageWidth = 518 }));
    }

    [Fact]
    public void WithoutPositions_TheEncoderCommutesWithAnyPermutationOfItsPatches() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 4], Gen.Bool).Sample((rows, columns, registers) =>
        {
            using var scope = NewDisposeScope();
            using var model = Fresh(VisionTransformerConfig.Micro with
            {
                ImageHeight = 8 * rows,
                ImageWidth = 8 * columns,
                Positions = PositionKind.None,
                RegisterTokens = registers ? 2 : 0,
            });
            var images = randn(1, 3, 8 * rows, 8 * columns);
            var order = randperm(rows * columns);
            var shuffled = Patches.Assemble(Patches.Cut(images, 8).index_select(1, order), 8, 8 * rows, 8 * columns);

            var (plain, permuted) = (model.Trace(images), model.Trace(shuffled));

            var extra = model.Config.ExtraTokens;
            for (var layer = 0; layer < 3; layer++)
            {
                var (a, b) = (plain.Blocks[layer].Tokens, permuted.Blocks[layer].Tokens);
                Close.Equal(a[0, ..extra], b[0, ..extra]);
                Close.Equal(a[0, extra..].index_select(0, order), b[0, extra..]);
            }
            Close.Equal(plain.Logits, permuted.Logits);
        }, iter: 40, threads: 1);

    [Theory]
    [InlineData(PositionKind.Learned)]
    [InlineData(PositionKind.SinCos1D)]
    [InlineData(PositionKind.SinCos2D)]
    public void WithPositions_TheOrderOfThePatchesMatters(PositionKind positions)
    {
        using var scope = NewDisposeScope();
        var model = Fresh(VisionTransformerConfig.Micro with { Positions = positions });
        var images = randn(1, 3, 32, 32);
        var shuffled = Patches.Assemble(Patches.Cut(images, 8).flip(1), 8, 32, 32);
        Assert.True(Close.LargestDifference(model.forward(images), model.forward(shuffled)) > 1e-3);
    }

    public static TheoryData<string, VisionTransformerConfig> Variants => new()
    {
        { "class token", VisionTransformerConfig.Micro },
        { "mean pooling", VisionTransformerConfig.Micro with { Pooling = Pooling.Mean } },
        { "registers", VisionTransformerConfig.Micro with { RegisterTokens = 3 } },
        { "registers without positions", VisionTransformerConfig.Micro with { RegisterTokens = 3, PatchPositionsOnly = true } },
        { "mean pooling beside registers", VisionTransformerConfig.Micro with { Pooling = Pooling.Mean, RegisterTokens = 2 } },
        { "mean pooling beside a class token", VisionTransformerConfig.Micro with { Pooling = Pooling.Mean, UnreadClassToken = true } },
        { "the norm before the mean", VisionTransformerConfig.Micro with { Pooling = Pooling.Mean, NormBeforePooling = true } },
        { "DeiT", VisionTransformerConfig.Micro with { Distilled = true } },
        { "no head", VisionTransformerConfig.Micro with { Classes = 0 } },
        { "sin-cos positions", VisionTransformerConfig.Micro with { Positions = PositionKind.SinCos2D } },
        { "a wide image of one channel", VisionTransformerConfig.Micro with { ImageHeight = 16, ImageWidth = 40, Channels = 1 } },
        { "LayerScale, no bias", VisionTransformerConfig.Micro with { LayerScale = 0.1, QkvBias = false } },
        { "pre-logits", VisionTransformerConfig.Micro with { PreLogitsWidth = 20 } },
        { "one layer of one patch", VisionTransformerConfig.Micro with { Layers = 1, ImageHeight = 8, ImageWidth = 8, DropPath = 0.1 } },
    };

    [Theory, MemberData(nameof(Variants))]
    public void EveryVariant_TracesWhatItComputes_OnBothPathsOfAttention(string variant, VisionTransformerConfig config)
    {
        Assert.NotEmpty(variant);
        using var scope = NewDisposeScope();
        var model = Fresh(config);
        var images = randn(2, config.Channels, config.ImageHeight, config.ImageWidth);

        var trace = model.Trace(images);

        long N = config.GridRows * config.GridColumns, T = config.Tokens;
        Assert.Equal([2, N, 48], trace.Patches.shape);
        Assert.Equal([2, T, 48], trace.Embedded.shape);
        Assert.Equal(config.Layers, trace.Blocks.Count);
        Assert.All(trace.Blocks, block => Assert.Equal([2, T, 48], block.Tokens.shape));
        Assert.All(trace.Blocks, block => Assert.Equal([2, 3, T, T], block.AttentionWeights.shape));
        Assert.Equal(config.Distilled ? [2, 2, 48] : [2, 48], trace.Features.shape);
        Assert.Equal([2, config.Classes > 0 ? 10 : config.Width], trace.Logits.shape);
        Close.Equal(trace.Logits, model.forward(images));
        var features = model.ForwardFeatures(images);
        Assert.Equal([2, T, 48], features.shape);
        Close.Equal(trace.Logits, model.ForwardHead(features));
        Close.Equal(config.Distilled ? trace.Features.mean([1]) : trace.Features, model.ForwardHead(features, preLogits: true));
        var some = model.Intermediates(images, [config.Layers - 1, 0]);
        Close.Equal(trace.Blocks[0].Tokens, some[1]);
        Close.Equal(trace.Blocks[^1].Tokens, some[0]);
        Close.Equal(features, model.Intermediates(images, [config.Layers - 1], norm: true)[0]);
        foreach (var block in model.blocks)
            block.attn.Fused = true;
        Close.Equal(trace.Logits, model.forward(images));
    }

    [Fact]
    public void Intermediates_ComputeNoMoreThanIsAsked()
    {
        using var scope = NewDisposeScope();
        var model = Fresh(VisionTransformerConfig.Micro);
        var computed = new List<int>();
        foreach (var (layer, block) in model.blocks.Index())
            block.register_forward_hook((_, _, output) =>
            {
                computed.Add(layer);
                return output;
            });
        var images = randn(2, 3, 32, 32);
        var before = scope.DisposablesCount;
        Assert.Equal(2, model.Intermediates(images, [1, 1]).Count);
        Assert.Equal([0, 1], computed);
        Assert.Equal(before + 1, scope.DisposablesCount);
        Assert.Empty(model.Intermediates(images, []));
        Assert.Equal([0, 1], computed);
        Assert.Contains("from 0 to 2", Assert.Throws<ArgumentOutOfRangeException>(() => model.Intermediates(images, [3])).Message);
    }

    [Fact]
    public void WithoutGradients_ABlocksOutputIsFreedWhenTheNextHasIt()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var model = Fresh(VisionTransformerConfig.Micro);
        var outputs = new List<Tensor>();
        foreach (var block in model.blocks)
            block.register_forward_hook((_, _, output) =>
            {
                Assert.All(outputs.SkipLast(1), earlier => Assert.True(earlier.IsInvalid));
                outputs.Add(output);
                return output;
            });
        model.call(randn(2, 3, 32, 32));
        Assert.Equal(3, outputs.Count);
    }

    [Fact]
    public void Hooks_FireOnEveryModule_AndChangeNothing()
    {
        using var scope = NewDisposeScope();
        var model = Fresh(VisionTransformerConfig.Micro with { LayerScale = 0.5, PreLogitsWidth = 20 });
        var images = randn(2, 3, 32, 32);
        var (before, trained) = (Without(), model.call(images));
        var silent = new HashSet<string>();
        foreach (var (name, module) in model.named_modules())
            if (module is nn.Module<Tensor, Tensor> part && silent.Add(name))
                part.register_forward_hook((_, _, output) =>
                {
                    silent.Remove(name);
                    return output;
                });
        Assert.Contains("blocks.0.mlp.fc1", silent);
        Assert.Contains("patch_embed.proj", silent);
        Close.Equal(before, Without());
        Assert.Empty(silent);
        Close.Equal(trained, model.call(images));

        Tensor Without()
        {
            using var noGradients = no_grad();
            return model.call(images);
        }
    }

    [Fact]
    public void AFreshHead_TakesThePlaceOfTheOld()
    {
        using var scope = NewDisposeScope();
        var model = Fresh(VisionTransformerConfig.Micro with { Distilled = true }).to(float64);
        model.ResetClassifier(4);
        Assert.Equal(4, model.Config.Classes);
        Assert.Equal([4, 48], model.state_dict()["head.weight"].shape);
        Assert.Equal([4, 48], model.state_dict()["head_dist.weight"].shape);
        Assert.Equal(0, model.forward(randn(2, 3, 32, 32, float64)).abs().sum().item<double>());
        model.ResetClassifier(0);
        Assert.Null(model.head);
        Assert.DoesNotContain(model.state_dict().Keys, name => name.StartsWith("head", StringComparison.Ordinal));
        Assert.Equal([2, 48], model.forward(randn(2, 3, 32, 32, float64)).shape);
        Assert.Throws<ArgumentOutOfRangeException>(() => { model.ResetClassifier(-1); });
    }

    [Fact]
    public void DeiTsOutput_IsTheMeanOfBothHeads()
    {
        using var scope = NewDisposeScope();
        var model = Fresh(VisionTransformerConfig.Micro with { Distilled = true });
        var images = randn(2, 3, 32, 32);
        var (@class, distillation) = model.Heads(images);
        Assert.True(Close.LargestDifference(@class, distillation) > 0.01);
        Close.Equal((@class + distillation) / 2, model.forward(images));
        Assert.Throws<InvalidOperationException>(() => Fresh(VisionTransformerConfig.Micro).Heads(images));
    }

    [Fact]
    public void ForwardAndTrace_LeaveOnlyTheirResultsBehind()
    {
        var model = Fresh(VisionTransformerConfig.Micro);
        using var scope = NewDisposeScope();
        var images = randn(1, 3, 32, 32);
        var before = scope.DisposablesCount;
        model.forward(images).Dispose();
        Assert.Equal(before, scope.DisposablesCount);
        model.Trace(images);
        Assert.Equal(before + 4 + 2 * 3, scope.DisposablesCount);
    }

    [Fact]
    public void AFreshModel_FindsAllClassesAlike_AndHasThePapersInitialValues()
    {
        random.manual_seed(0);
        using var scope = NewDisposeScope();
        using var model = new VisionTransformer(VisionTransformerConfig.S16);

        Assert.Equal(0, model.head!.weight.abs().max().item<float>());
        Assert.Equal(0, model.cls_token!.abs().max().item<float>());
        Assert.Equal(0.02, model.pos_embed!.std().item<float>(), 5e-4);
        Assert.Equal(Math.Sqrt(1.0 / (3 * 16 * 16)), model.patch_embed.proj.weight.std().item<float>(), 1e-3);
        var block = model.blocks[0];
        Assert.Equal(Math.Sqrt(6.0 / (384 + 384)), block.attn.qkv.weight.abs().max().item<float>(), 1e-4);
        Assert.Equal(Math.Sqrt(6.0 / (384 + 1536)), block.mlp.fc1.weight.abs().max().item<float>(), 1e-4);
        Assert.Equal(1e-6, block.mlp.fc1.bias!.std().item<float>(), 1e-7);
        Assert.Equal(0, block.attn.qkv.bias!.abs().max().item<float>());
    }

    [Fact]
    public void DropPath_GrowsLinearlyWithTheLayers()
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Micro with { DropPath = 0.2 });
        var rates = model.named_modules().Select(m => m.module).OfType<DropPath>().Select(path => path.Rate);
        Assert.Equal([0, 0.1, 0.2], rates, (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void PatchDropout_KeepsTheTokensInFront_AndAShareOfThePatches_InTrainingAlone()
    {
        using var scope = NewDisposeScope();
        var model = Fresh(VisionTransformerConfig.Micro with { RegisterTokens = 2 });
        var images = randn(3, 3, 32, 32);
        var embedded = model.Trace(images).Embedded;                     // [3, 3 + 16, 48]
        var whole = model.forward(images);
        model.PatchDropout = 0.75;
        Close.Equal(whole, model.forward(images), 0);
        model.train();
        var seen = model.Trace(images).Embedded;

        Assert.Equal([3, 3 + 4, 48], seen.shape);
        Close.Equal(embedded.slice(1, 0, 3, 1), seen.slice(1, 0, 3, 1), 0);
        // Each patch that is left is one of its own image, and no two are the same one.
        var same = (seen.slice(1, 3, 7, 1).unsqueeze(2) - embedded.slice(1, 3, 19, 1).unsqueeze(1)).abs().amax([3]).eq(0);
        Assert.True(same.sum(2).eq(1).all().item<bool>());
        Assert.True(same.sum(1).le(1).all().item<bool>());
        Assert.Throws<ArgumentOutOfRangeException>(() => model.PatchDropout = 1);
    }

    [Fact]
    public void Gradients_ReachEveryParameter()
    {
        var model = Fresh(VisionTransformerConfig.Micro with { RegisterTokens = 1, LayerScale = 0.5 });
        model.train();
        model.forward(randn(2, 3, 32, 32)).pow(2).sum().backward();
        Assert.All(model.named_parameters(), p => Assert.True(p.parameter.grad is { } g && g.abs().sum().item<float>() > 0, p.name));
    }

    [Fact]
    public void ImagesOfAnotherSize_AreRefused_WithTheSizeThatFits()
    {
        var model = Fresh(VisionTransformerConfig.Micro);
        foreach (var images in new[] { zeros(1, 3, 32, 40), zeros(3, 32, 32), zeros(1, 3, 64, 64), zeros(1, 1, 32, 32) })
        {
            var e = Assert.Throws<ArgumentException>(() => model.forward(images));
            Assert.Contains("[B, 3, 32, 32]", e.Message);
            Assert.Contains($"[{string.Join(", ", images.shape)}]", e.Message);
        }
    }

    public static TheoryData<VisionTransformerConfig, string> Impossible => new()
    {
        { VisionTransformerConfig.Micro with { ImageWidth = 36 }, "32 × 36" },
        { VisionTransformerConfig.Micro with { ImageHeight = 4 }, "8 × 32 would fit" },
        { VisionTransformerConfig.Micro with { Width = 50 }, "51 would fit" },
        { VisionTransformerConfig.Micro with { Heads = 0 }, "heads" },
        { VisionTransformerConfig.Micro with { PatchSize = 0 }, "PatchSize" },
        { VisionTransformerConfig.Micro with { Layers = 0 }, "Layers" },
        { VisionTransformerConfig.Micro with { Classes = -1 }, "Classes" },
        { VisionTransformerConfig.Micro with { RegisterTokens = -1 }, "register" },
        { VisionTransformerConfig.Micro with { Distilled = true, Pooling = Pooling.Mean }, "distillation token" },
        { VisionTransformerConfig.Micro with { UnreadClassToken = true }, "mean pooling" },
        { VisionTransformerConfig.Micro with { NormBeforePooling = true }, "mean pooling" },
        { VisionTransformerConfig.Micro with { DropPath = 1 }, "rate" },
        { VisionTransformerConfig.Micro with { Dropout = 1 }, "Dropout is a rate" },
        { VisionTransformerConfig.Micro with { AttentionDropout = double.NaN }, "AttentionDropout is a rate" },
        { VisionTransformerConfig.Micro with { LayerNormEpsilon = 0 }, "LayerNormEpsilon" },
        { VisionTransformerConfig.Micro with { PreLogitsWidth = 0 }, "PreLogitsWidth" },
    };

    [Theory, MemberData(nameof(Impossible))]
    public void AConfigurationThatCannotBe_SaysWhy(VisionTransformerConfig config, string reason) =>
        Assert.Contains(reason, Assert.ThrowsAny<ArgumentException>(() => new VisionTransformer(config)).Message);

    /// <summary>A model in which every parameter matters: none is zero, as the paper's head and biases are at first.</summary>
    static VisionTransformer Fresh(VisionTransformerConfig config)
    {
        var model = new VisionTransformer(config);
        using (no_grad())
            foreach (var parameter in model.parameters())
                nn.init.normal_(parameter, parameter.dim() == 1 ? 0.5 : 0, 0.15);
        model.eval();
        return model;
    }

    static long Count(VisionTransformerConfig config) => ParameterCount.Of(() => new VisionTransformer(config));
}
