using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public class MultiHeadSelfAttentionTests
{
    [Fact]
    public void FusedEqualsExplicit_ForAnyHeadsLengthsAndWidths() =>
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 40], Gen.Int[1, 8], Gen.Int[1, 40]).Sample((B, T, heads, d) =>
        {
            using var scope = NewDisposeScope();
            var attention = new MultiHeadSelfAttention(heads * d, heads);
            var tokens = randn(B, T, heads * d);

            attention.Fused = true;
            var fused = attention.forward(tokens);
            attention.Fused = false;
            Close.Equal(attention.forward(tokens), fused);

            var (output, weights) = attention.Trace(tokens);
            Close.Equal(fused, output);
            Assert.Equal([B, heads, T, T], weights.shape);
            Close.Equal(ones(B, heads, T), weights.sum(-1));
        }, iter: 200, threads: 1);

    [Fact]
    public void OneHead_FollowsTheEquationsOfAppendixA()
    {
        using var scope = NewDisposeScope();
        var attention = new MultiHeadSelfAttention(width: 6, heads: 2);
        var z = randn(1, 5, 6);
        var (qkv, bias) = (attention.qkv.weight, attention.qkv.bias!);
        var heads = new List<Tensor>();
        for (var head = 0; head < 2; head++)
        {
            var (q, k, v) = (Part(0, head), Part(1, head), Part(2, head));
            var A = (matmul(q, k.t()) / Math.Sqrt(3)).softmax(-1);
            heads.Add(matmul(A, v));
        }

        Close.Equal(attention.proj.forward(cat(heads, 1)), attention.forward(z)[0]);

        Tensor Part(int which, int head)
        {
            var rows = arange(3) + 6 * which + 3 * head;
            return nn.functional.linear(z[0], qkv.index_select(0, rows), bias.index_select(0, rows));
        }
    }

    [Theory]
    [InlineData(100, 12, "96")]
    [InlineData(5, 12, "12")]
    [InlineData(0, 3, "3")]
    public void AWidthThatDoesNotDivideAmongTheHeads_SaysWhatWouldFit(int width, int heads, string fitting)
    {
        var e = Assert.Throws<ArgumentException>(() => new MultiHeadSelfAttention(width, heads));
        Assert.Contains($"{width} does not divide among {heads} heads", e.Message);
        Assert.Contains($"{fitting} would fit", e.Message);
    }

    [Fact]
    public void TokensOfAnotherWidth_AreRefused() => Assert.Contains("[B, T, 12]",
        Assert.Throws<ArgumentException>(() => new MultiHeadSelfAttention(12, 3).forward(zeros(1, 4, 10))).Message);

    [Fact]
    public void Dropout_ActsInTrainingAlone_OnBothPaths()
    {
        using var scope = NewDisposeScope();
        var attention = new MultiHeadSelfAttention(12, 3, dropout: 0.5);
        var tokens = randn(2, 9, 12);
        foreach (var fused in new[] { true, false })
        {
            attention.Fused = fused;
            attention.eval();
            var whole = attention.forward(tokens);
            Close.Equal(whole, attention.forward(tokens), 0);
            attention.train();
            Assert.True(Close.LargestDifference(whole, attention.forward(tokens)) > 1e-3);
        }
    }
}
