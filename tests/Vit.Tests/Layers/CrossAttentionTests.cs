using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public sealed class CrossAttentionTests
{
    [Fact]
    public void It_is_libtorchs_own()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(18);
        var ours = new CrossAttention(24, 3);
        var theirs = nn.MultiheadAttention(24, 3);
        foreach (var bias in new[] { ours.q.bias!, ours.kv.bias!, ours.proj.bias! })
            nn.init.normal_(bias);
        using (no_grad())
        {
            var state = theirs.state_dict();
            state["in_proj_weight"].copy_(cat([ours.q.weight, ours.kv.weight]));
            state["in_proj_bias"].copy_(cat([ours.q.bias!, ours.kv.bias!]));
            state["out_proj.weight"].copy_(ours.proj.weight);
            state["out_proj.bias"].copy_(ours.proj.bias!);
        }
        theirs.eval();
        var (tokens, memory) = (randn(2, 5, 24), randn(2, 7, 24));
        // libtorch's takes [T, B, D], and gives the mean of the heads' weights.
        var answer = theirs.forward(tokens.transpose(0, 1), memory.transpose(0, 1), memory.transpose(0, 1), null, true, null);
        var (expected, looked) = (answer.Item1, answer.Item2);
        Close.Equal(expected.transpose(0, 1), ours.forward(tokens, memory));
        var trace = ours.Trace(tokens, memory);
        Assert.Equal([2, 3, 5, 7], trace.Weights.shape);
        Close.Equal(looked, trace.Weights.mean([1]));
    }

    [Fact]
    public void The_order_of_what_is_looked_at_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var block = new DecoderBlock(24, 3, 48);
        var (queries, memory) = (randn(2, 5, 24), randn(2, 7, 24));
        var positions = randn(1, 5, 24);
        var seen = block.forward(queries, memory, positions);
        // DETR's block with the norm first (arXiv:2005.12872): positions are added where queries look, and stay out of what they carry.
        var expected = queries + block.attn.forward(block.norm1.forward(queries) + positions);
        expected += block.cross.forward(block.norm2.forward(expected) + positions, memory);
        expected += block.mlp.forward(block.norm3.forward(expected));
        Close.Equal(expected, seen);
        Close.Equal(seen, block.forward(queries, memory.flip(1), positions));
        Close.Equal(seen, block.Trace(queries, memory, positions).Queries);
        // With the queries shuffled, the answers are shuffled.
        Close.Equal(seen.flip(1), block.forward(queries.flip(1), memory, positions.flip(1)));
    }

    [Fact]
    public void What_does_not_fit_is_told()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>("width", () => new CrossAttention(25, 3));
        Assert.Throws<ArgumentOutOfRangeException>("heads", () => new CrossAttention(24, 0));
        var cross = new CrossAttention(24, 3);
        Assert.Contains("[2, 5, 24] and [3, 7, 24]", Assert.Throws<ArgumentException>("tokens", () => cross.forward(zeros(2, 5, 24), zeros(3, 7, 24))).Message);
        Assert.Throws<ArgumentException>("tokens", () => cross.forward(zeros(2, 5, 24), zeros(2, 7, 12)));
    }
}
