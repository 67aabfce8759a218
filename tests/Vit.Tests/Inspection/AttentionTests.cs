using TorchSharp;
using Vit.Inspection;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Inspection;

public class AttentionTests
{
    static readonly Gen<Tensor[]> Layers =
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[1, 9], Gen.Int[0, 1000]).Select((layers, batch, heads, tokens, seed) =>
        {
            random.manual_seed(seed);
            return Enumerable.Range(0, layers).Select(_ => (3 * randn(batch, heads, tokens, tokens)).softmax(-1)).ToArray();
        });

    [Fact]
    public void Rows_of_the_rollout_sum_to_one() => Layers.Sample(layers =>
    {
        var rollout = Attention.Rollout(layers);
        Close.Equal(ones(rollout.shape[0], rollout.shape[1]), rollout.sum(-1));
        Assert.True(rollout.min().ToDouble() >= 0);
    }, iter: 50, threads: 1);

    [Fact]
    public void The_rollout_of_one_layer_is_half_its_weights_and_half_the_identity()
    {
        var weights = tensor(new float[,,,] { { { { 1, 0 }, { 0.5f, 0.5f } }, { { 0, 1 }, { 0.5f, 0.5f } } } });   // [1, 2, 2, 2]
        Close.Equal(tensor(new float[,,] { { { 0.75f, 0.25f }, { 0.25f, 0.75f } } }), Attention.Rollout([weights]), 1e-7);
    }

    [Fact]
    public void The_last_layer_is_multiplied_from_the_left()
    {
        // The first layer hands token 1's content to token 0; the second mixes token 0 into token 2. So token 1 reaches token 2.
        var first = Looks(3, (0, 1));
        var second = Looks(3, (2, 0));
        Assert.Equal(0.25, Attention.Rollout([first, second])[0, 2, 1].ToDouble());
        Assert.Equal(0, Attention.Rollout([second, first])[0, 2, 1].ToDouble());
    }

    [Fact]
    public void A_head_that_looks_at_its_own_patch_has_distance_zero() =>
        Close.Equal(zeros(2), Attention.Distance(eye(5).expand(1, 2, 5, 5), 2, 2, 16));

    [Fact]
    public void Distances_are_in_pixels_between_centres()
    {
        // Every patch of a 2 × 3 grid looks at the first one; the class token, in front, looks at anything.
        var weights = zeros(1, 1, 7, 7);
        weights[0, 0].select(1, 1).fill_(1);
        double[] distances = [0, 1, 2, 1, Math.Sqrt(2), Math.Sqrt(5)];
        Assert.Equal(4 * distances.Average(), Attention.Distance(weights, 2, 3, 4).ToDouble(), 5);
    }

    [Fact]
    public void What_goes_to_the_class_token_does_not_count()
    {
        var weights = zeros(1, 1, 5, 5);
        weights[0, 0].select(1, 0).fill_(0.5f);
        weights[0, 0].slice(0, 1, 5, 1).slice(1, 1, 5, 1).copy_(eye(4) * 0.5f);
        Assert.Equal(0, Attention.Distance(weights, 2, 2, 16).ToDouble());
    }

    [Fact]
    public void A_models_trace_fits()
    {
        var model = new VisionTransformer(VisionTransformerConfig.Micro);
        model.eval();
        var trace = model.Trace(rand(2, model.Config.Channels, model.Config.ImageHeight, model.Config.ImageWidth));
        var weights = trace.Blocks.Select(block => block.AttentionWeights).ToList();
        Assert.Equal([2, model.Config.Tokens, model.Config.Tokens], Attention.Rollout(weights).shape);
        Assert.Equal([model.Config.Heads], Attention.Distance(weights[0], model.Config.GridRows, model.Config.GridColumns, model.Config.PatchSize).shape);
    }

    [Fact]
    public void Weights_that_do_not_fit_are_named()
    {
        Assert.Contains("no layer", Assert.Throws<ArgumentException>(() => Attention.Rollout([])).Message);
        Assert.Contains("[2, 3]", Assert.Throws<ArgumentException>(() => Attention.Rollout([zeros(2, 3)])).Message);
        Assert.Contains("[1, 1, 3, 3] beside [1, 1, 2, 2]", Assert.Throws<ArgumentException>(() => Attention.Rollout([zeros(1, 1, 2, 2), zeros(1, 1, 3, 3)])).Message);
        Assert.Contains("3 × 3", Assert.Throws<ArgumentException>(() => Attention.Distance(zeros(1, 1, 5, 5), 3, 3, 16)).Message);
    }

    /// <summary>Weights where each token looks at itself, save that one looks at another.</summary>
    static Tensor Looks(int tokens, (int From, int To) look)
    {
        var weights = eye(tokens);
        weights[look.From].zero_();
        weights[look.From, look.To] = 1;
        return weights.reshape(1, 1, tokens, tokens);
    }
}
