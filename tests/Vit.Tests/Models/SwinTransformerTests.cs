using TorchSharp;
using Vit.Layers;
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
    public void DropPath_GrowsFromBlockToBlockThroughAllStages_AndDropsInTrainingAlone()
    {
        using var scope = NewDisposeScope();
        var config = Micro with { DropPath = 0.6 };
        var model = new SwinTransformer(config);
        var rates = model.modules().OfType<DropPath>().Select(path => path.Rate).ToArray();
        var blocks = config.Depths.Sum();
        Assert.Equal(Enumerable.Range(0, blocks).Select(i => 0.6 * i / (blocks - 1)), rates, (a, b) => Math.Abs(a - b) < 1e-12);
        using var noGradients = no_grad();
        nn.init.normal_(model.head!.weight);
        var images = randn(8, 3, 56, 56);
        model.train();
        Assert.NotEqual(model.forward(images).data<float>().ToArray(), model.forward(images).data<float>().ToArray());
        model.eval();
        Assert.Equal(model.forward(images).data<float>().ToArray(), model.forward(images).data<float>().ToArray());
    }

    [Fact]
    public void WhatCannotBe_IsTold()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("2, 0", Assert.Throws<ArgumentException>("config", () => new SwinTransformer(Micro with { Depths = [2, 0] })).Message);
        Assert.Contains("-1", Assert.Throws<ArgumentException>("config", () => new SwinTransformer(Micro with { Classes = -1 })).Message);
        foreach (var shift in new[] { -1, 4 })
            Assert.Contains("0 to 3", Assert.Throws<ArgumentException>("shift", () => new WindowAttention(8, 2, rows: 8, columns: 8, window: 4, shift)).Message);
        Assert.Throws<ArgumentException>("window", () => new WindowAttention(8, 2, rows: 0, columns: 8, window: 4, shift: 0));
        var layer = new WindowAttention(8, 2, rows: 4, columns: 8, window: 4, shift: 2);
        foreach (var tokens in new[] { randn(1, 8, 4, 8), randn(1, 4, 8, 4), randn(32, 8) })
            Assert.Contains("[B, 4, 8, 8]", Assert.Throws<ArgumentException>("tokens", () => layer.forward(tokens)).Message);
        Assert.Contains("[1, 3, 4, 8]", Assert.Throws<ArgumentException>("tokens", () => new PatchMerging(8).forward(randn(1, 3, 4, 8))).Message);
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

    /// <summary>
    /// The last stage's grid is one window high and two wide: as in timm's <c>_calc_window_shift</c> the window is shifted
    /// along its rows alone. Against timm's formulas (swin_transformer.py), patch by patch.
    /// </summary>
    [Theory]
    [InlineData(7, 14, 7), InlineData(14, 7, 7), InlineData(4, 14, 7), InlineData(14, 14, 7), InlineData(3, 5, 7)]
    public void AShiftedWindow_GoesEachWayForItself(int rows, int columns, int M)
    {
        using var scope = NewDisposeScope();
        var layer = new WindowAttention(8, heads: 2, rows, columns, window: M, shift: M / 2);
        var tokens = randn(1, rows, columns, 8);
        var (window, shift) = ((R: Math.Min(rows, M), C: Math.Min(columns, M)), (R: rows <= M ? 0 : M / 2, C: columns <= M ? 0 : M / 2));
        Assert.Equal([(2 * window.R - 1) * (2 * window.C - 1), 2], layer.relative_position_bias_table.shape);

        var qkv = layer.qkv.forward(tokens).reshape(rows, columns, 3, 2, 4);
        var attended = zeros(rows, columns, 8);
        foreach (var (row, column) in All())
            foreach (var head in (int[])[0, 1])
            {
                var seen = All().Where(other => SameWindow(row, other.Row, rows, window.R, shift.R) && SameWindow(column, other.Column, columns, window.C, shift.C)).ToList();
                var scores = stack(seen.Select(other =>
                    qkv[row, column, 0, head].dot(qkv[other.Row, other.Column, 1, head]) / 2
                    + layer.relative_position_bias_table[(row - other.Row + window.R - 1) * (2 * window.C - 1) + column - other.Column + window.C - 1, head])).softmax(0);
                attended[row, column, (4 * head)..(4 * head + 4)] = seen.Select((other, i) => scores[i] * qkv[other.Row, other.Column, 2, head]).Aggregate((a, b) => a + b);
            }
        Close.Equal(layer.proj.forward(attended), layer.forward(tokens)[0]);

        IEnumerable<(int Row, int Column)> All() => Enumerable.Range(0, rows * columns).Select(i => (i / columns, i % columns));

        // After the roll a patch stands shift places before; what came round the edge is kept apart.
        static bool SameWindow(int a, int b, int length, int window, int shift)
        {
            int Place(int i) => (i - shift + length) % length;
            return Place(a) / window == Place(b) / window && (a < shift) == (b < shift);
        }
    }

    [Fact]
    public void Images_need_not_be_square()
    {
        using var scope = NewDisposeScope();
        var model = new SwinTransformer(Micro with { ImageWidth = 112 });
        var images = randn(2, 3, 56, 112);
        Assert.Equal([2, 10], model.forward(images).shape);
        Assert.Contains("[B, 3, 56, 112]", Assert.Throws<ArgumentException>(() => model.forward(randn(2, 3, 56, 56))).Message);
    }

    [Fact]
    public void FeaturesHeadAndStages_AreWhatTheWholeComputes()
    {
        using var scope = NewDisposeScope();
        var model = new SwinTransformer(Micro);
        foreach (var parameter in model.parameters())
            using (no_grad())
                nn.init.normal_(parameter, 0, 0.1);
        model.eval();
        var images = randn(2, 3, 56, 56);
        var trace = model.Trace(images);
        var features = model.ForwardFeatures(images);
        Assert.Equal([2, 14, 14, 48], features.shape);
        Close.Equal(trace.Logits, model.ForwardHead(features));
        Close.Equal(trace.Features, model.ForwardHead(features, preLogits: true));
        var stages = model.Intermediates(images, [1, 0]);
        Close.Equal(trace.Blocks[3], stages[0]);
        Close.Equal(trace.Blocks[1], stages[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Intermediates(images, [2]));
        model.ResetClassifier(0);
        Close.Equal(trace.Features, model.forward(images));
        Assert.Equal(0, model.Config.Classes);
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
