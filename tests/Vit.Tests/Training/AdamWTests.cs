using Vit.Models;
using static TorchSharp.torch;
using AdamW = Vit.Training.AdamW;

namespace Vit.Tests.Training;

public class AdamWTests
{
    static void Backward(nn.Module<Tensor, Tensor> model, int step)
    {
        using var scope = NewDisposeScope();
        var images = Small.Images(6, seed: step);
        nn.functional.cross_entropy(model.forward(images.Images), images.Labels).backward();
    }

    // What decays, by another rule than the optimiser's: weights that are none of a norm.
    static bool Matrices(string name) => name.EndsWith(".weight", StringComparison.Ordinal) && !name.Contains("norm");

    [Fact]
    public void Moves_as_PyTorch_does()
    {
        using var scope = NewDisposeScope();
        using var ours = Small.Model();
        using var theirs = Small.Model();
        ours.eval();
        theirs.eval();
        using var optimizer = new AdamW(ours, 0.1, 0.8, 0.95, 1e-6);
        var groups = theirs.named_parameters().GroupBy(it => Matrices(it.name))
            .Select(group => new TorchSharp.Modules.AdamW.ParamGroup(group.Select(it => it.parameter), new() { weight_decay = group.Key ? 0.1 : 0, beta1 = 0.8, beta2 = 0.95, eps = 1e-6, LearningRate = 0.01, InitialLearningRate = 0.01 }));
        var reference = optim.AdamW(groups);
        for (var step = 0; step < 5; step++)
        {
            Backward(ours, step);
            Backward(theirs, step);
            var expected = nn.utils.clip_grad_norm_(theirs.parameters(), 0.05);
            Assert.Equal(expected, optimizer.Step(0.01, clipNorm: 0.05), 1e-5);
            reference.step();
            optimizer.ZeroGrad();
            reference.zero_grad();
        }
        foreach (var (expected, actual) in theirs.parameters().Zip(ours.parameters()))
            Close.Equal(expected, actual, 2e-5);
    }

    [Fact]
    public void Only_weights_of_layers_decay()
    {
        using var vit = new VisionTransformer(Small.Config with { Distilled = true, LayerScale = 0.1 });
        using var swin = new SwinTransformer(new() { ImageHeight = 28, ImageWidth = 28, PatchSize = 2, WindowSize = 7, Width = 8, Depths = [1, 1], Heads = [1, 2], Classes = 3 });
        var all = vit.named_parameters().Concat(swin.named_parameters()).ToArray();
        Assert.Equal(all.Select(it => it.name).Where(Matrices), all.Where(it => AdamW.Decays(it.name, it.parameter)).Select(it => it.name));
        var kept = all.Select(it => it.name).Where(name => !Matrices(name)).ToArray();
        foreach (var part in (string[])["cls_token", "dist_token", "pos_embed", "norm", "ls1", "bias", "relative_position_bias_table"])
            Assert.Contains(kept, name => name.Contains(part));
    }

    [Theory]
    [InlineData(-0.1, 0.9, 0.999, 1e-8, "weightDecay")]
    [InlineData(0.1, 1, 0.999, 1e-8, "beta1")]
    [InlineData(0.1, 0.9, 1, 1e-8, "beta2")]
    [InlineData(0.1, 0.9, double.NaN, 1e-8, "beta2")]
    [InlineData(0.1, 0.9, 0.999, 0, "epsilon")]
    public void A_number_outside_its_range_is_refused(double weightDecay, double beta1, double beta2, double epsilon, string name)
    {
        using var model = Small.Model();
        Assert.Throws<ArgumentOutOfRangeException>(name, () => new AdamW(model, weightDecay, beta1, beta2, epsilon));
    }

    [Fact]
    public void A_gradient_that_is_not_finite_moves_nothing()
    {
        using var scope = NewDisposeScope();
        using var model = Small.Model();
        using var optimizer = new AdamW(model);
        Backward(model, 0);
        optimizer.Step(0.01);
        var before = Small.Bits(model);
        model.head!.weight!.grad![0, 0] = double.PositiveInfinity;
        Assert.Equal(double.PositiveInfinity, optimizer.Step(0.01));
        Assert.Equal(before, Small.Bits(model));
        Assert.Equal(1, optimizer.State["step"].item<long>());
    }

    [Fact]
    public void Goes_on_from_its_state_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        using var straight = Small.Model();
        using var resumed = Small.Model();
        straight.eval();
        resumed.eval();
        using var first = new AdamW(straight);
        using var second = new AdamW(resumed);
        for (var step = 0; step < 3; step++)
        {
            foreach (var (model, optimizer) in new[] { (straight, first), (resumed, second) })
            {
                Backward(model, step);
                optimizer.Step(0.01);
                optimizer.ZeroGrad();
            }
        }
        using var third = new AdamW(resumed);
        third.LoadState(second.State);
        Backward(straight, 7);
        Backward(resumed, 7);
        first.Step(0.01);
        third.Step(0.01);
        Assert.Equal(Small.Bits(straight), Small.Bits(resumed));
    }

    [Fact]
    public void A_state_of_another_model_is_refused_whole()
    {
        using var scope = NewDisposeScope();
        using var model = Small.Model();
        using var optimizer = new AdamW(model);
        var state = optimizer.State.ToDictionary(pair => pair.Key, pair => ones_like(pair.Value));
        state["head.weight.exp_avg"] = ones(2, 2);
        Assert.Contains("head.weight.exp_avg", Assert.Throws<ArgumentException>(() => optimizer.LoadState(state)).Message);
        state.Remove("head.weight.exp_avg");
        Assert.Contains("head.weight.exp_avg", Assert.Throws<ArgumentException>(() => optimizer.LoadState(state)).Message);
        state["head.weight.exp_avg"] = ones_like(optimizer.State["head.weight.exp_avg"]);
        state["tail"] = ones(1);
        Assert.Contains("tail", Assert.Throws<ArgumentException>(() => optimizer.LoadState(state)).Message);
        Assert.All(optimizer.State.Values, tensor => Assert.Equal(0, tensor.abs().sum().to(float32).item<float>()));
    }
}
