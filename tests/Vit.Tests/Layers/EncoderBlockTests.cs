using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public class EncoderBlockTests
{
    [Fact]
    public void DropPath_KeepsOrDropsWholeSamples_AndTheMean()
    {
        random.manual_seed(1);
        using var scope = NewDisposeScope();
        var path = new DropPath(0.25);
        path.train();

        var output = path.forward(ones(4000, 3, 2));

        var samples = output.flatten(1);
        Assert.True(samples.eq(samples[TensorIndex.Colon, ..1]).all().item<bool>());
        var values = samples[TensorIndex.Colon, 0].data<float>().ToArray();
        Assert.All(values, value => Assert.True(value == 0 || Math.Abs(value - 1 / 0.75) < 1e-6));
        Assert.Equal(1, values.Average(), 0.05);
    }

    [Fact]
    public void DropPath_IsTheIdentityOutsideTraining()
    {
        var path = new DropPath(0.9);
        path.eval();
        var branch = randn(5, 3);
        Close.Equal(branch, path.forward(branch), 0);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void DropPath_OfARateThatIsNone_Throws(double rate) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new DropPath(rate));

    [Fact]
    public void Block_IsPreNorm_WithScaledResidualBranches()
    {
        using var scope = NewDisposeScope();
        var block = new EncoderBlock(width: 12, heads: 3, mlpWidth: 20, layerScale: 0.3);
        block.eval();
        var z = randn(2, 5, 12);

        var attended = z + 0.3 * block.attn.forward(block.norm1.forward(z));
        var expected = attended + 0.3 * block.mlp.forward(block.norm2.forward(attended));

        Close.Equal(expected, block.forward(z));
        Close.Equal(expected, block.Trace(z).Tokens);
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0, 0.5)]
    public void Block_DropsInTrainingAlone(double dropout, double attentionDropout)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        // Through the configuration, as a model is made.
        var block = (VisionTransformerConfig.Micro with { Dropout = dropout, AttentionDropout = attentionDropout }).Block(1);
        var tokens = randn(2, 5, 48);
        block.train();
        Assert.NotEqual(Numbers(), Numbers());
        block.eval();
        Assert.Equal(Numbers(), Numbers());

        float[] Numbers() => block.forward(tokens).data<float>().ToArray();
    }

    [Fact]
    public void Dropout_IsInTheFeedForwardAndAfterBothBranches()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var block = new EncoderBlock(width: 12, heads: 3, mlpWidth: 20, dropout: 0.5);
        block.train();
        // With one branch silent, the other one shows that half of its numbers are dropped.
        foreach (var silent in new[] { block.mlp.fc2, block.attn.proj })
        {
            nn.init.zeros_(silent.weight);
            nn.init.zeros_(silent.bias!);
            var tokens = randn(40, 5, 12);
            Assert.InRange((block.forward(tokens) - tokens).eq(0).to(float32).mean().item<float>(), 0.45, 0.55);
            nn.init.normal_(silent.weight);
        }
        // With a hidden layer of ones the output's own dropout leaves out half, and that of the hidden layer changes what is left.
        var mlp = new FeedForward(12, 20, 0.5);
        mlp.train();
        nn.init.zeros_(mlp.fc1.weight);
        nn.init.ones_(mlp.fc1.bias!);
        nn.init.ones_(mlp.fc2.weight);
        nn.init.zeros_(mlp.fc2.bias!);
        var kept = mlp.forward(randn(1, 100, 12));
        Assert.True(kept[kept.ne(0)].unique().output.shape[0] > 3);
    }

    [Fact]
    public void Block_LeavesNoTensorBehind()
    {
        var block = new EncoderBlock(width: 12, heads: 3, mlpWidth: 20, dropPath: 0.1, dropout: 0.1, layerScale: 1);
        using var scope = NewDisposeScope();
        var tokens = randn(2, 5, 12);
        var before = scope.DisposablesCount;
        using var output = block.forward(tokens);
        Assert.Equal(before + 1, scope.DisposablesCount);
    }
}
