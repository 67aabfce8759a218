using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public sealed class VideoTransformerTests
{
    static readonly VideoTransformerConfig Small = new()
    {
        Frames = 6,
        ImageHeight = 8,
        ImageWidth = 12,
        Channels = 2,
        TubeletFrames = 2,
        PatchSize = 4,
        Layers = 2,
        Width = 8,
        MlpWidth = 16,
        Heads = 2,
        Classes = 5,
    };

    static VideoTransformer Fresh(VideoTransformerConfig config)
    {
        random.manual_seed(20);
        var model = new VideoTransformer(config);
        nn.init.normal_(model.head.weight);
        model.eval();
        return model;
    }

    [Fact]
    public void Tubelets_are_projected_as_a_convolution_in_three_dimensions_does()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var embedding = new TubeletEmbedding(2, 2, 4, 8);
        nn.init.normal_(embedding.proj.bias!);
        var films = randn([3, 6, 2, 8, 12]);

        var expected = embedding.proj.forward(films.transpose(1, 2)).flatten(2).transpose(1, 2);

        Close.Equal(expected, embedding.forward(films));
    }

    [Theory]
    [InlineData(new long[] { 3, 6, 3, 8, 12 }, "[B, F, 2, H, W]")]
    [InlineData(new long[] { 3, 12, 8, 12 }, "[B, F, 2, H, W]")]
    [InlineData(new long[] { 3, 5, 2, 8, 12 }, "5 frames of 8 × 12 do not divide into tubelets of 2 frames and 4 × 4 pixels")]
    [InlineData(new long[] { 3, 6, 2, 8, 13 }, "6 frames of 8 × 13 do not divide")]
    [InlineData(new long[] { 0, 6, 2, 8, 12 }, "do not divide")]
    public void Films_that_do_not_divide_are_refused(long[] shape, string message)
    {
        using var scope = NewDisposeScope();
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => new TubeletEmbedding(2, 2, 4, 8).forward(zeros(shape))).Message);
    }

    [Fact]
    public void A_divided_block_looks_in_time_then_in_space()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(2);
        var block = new DividedBlock(8, 2, 16, times: 3);
        block.eval();
        var tokens = randn(2, 12, 8);

        // The same by masks: joint attention in which a token sees its own place, then its own time.
        var numbers = arange(12);
        var places = (numbers % 4).unsqueeze(0).eq((numbers % 4).unsqueeze(1));
        var time = numbers.div(4, RoundingMode.floor);
        var times = time.unsqueeze(0).eq(time.unsqueeze(1));
        var after = tokens + Masked(block.attn_time, block.norm_time.forward(tokens), places);
        after = after + Masked(block.space.attn, block.space.norm1.forward(after), times);
        after = after + block.space.mlp.forward(block.space.norm2.forward(after));

        Close.Equal(after, block.forward(tokens));

        static Tensor Masked(MultiHeadSelfAttention attention, Tensor tokens, Tensor seen)
        {
            var parts = attention.qkv.forward(tokens).reshape(2, 12, 3, 2, 4).permute(2, 0, 3, 1, 4);
            var scores = parts[0].matmul(parts[1].transpose(-2, -1)) / 2;
            var weights = scores.masked_fill(seen.logical_not(), float.NegativeInfinity).softmax(-1);
            return attention.proj.forward(weights.matmul(parts[2]).transpose(1, 2).flatten(2));
        }
    }

    [Fact]
    public void A_divided_block_refuses_what_does_not_divide_into_its_times()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("[B, 3 · N, D], given were [2, 10, 8]", Assert.Throws<ArgumentException>(() => new DividedBlock(8, 2, 16, times: 3).forward(zeros(2, 10, 8))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new DividedBlock(8, 2, 16, times: 0));
    }

    [Theory]
    [InlineData(VideoAttention.Joint)]
    [InlineData(VideoAttention.Divided)]
    public void The_logits_are_those_of_its_parts_and_of_either_form_of_film(VideoAttention attention)
    {
        using var scope = NewDisposeScope();
        var model = Fresh(Small with { Attention = attention });
        var films = randn([2, 6, 2, 8, 12]);

        var tokens = model.tubelet_embed.forward(films).reshape(2, 3, 6, 8) + model.pos_embed + model.time_embed!;
        tokens = tokens.flatten(1, 2);
        Close.Equal(tokens, model.Embed(films));
        foreach (var block in model.blocks)
            tokens = block.forward(tokens);
        var expected = model.head.forward(model.norm.forward(tokens).mean([1]));

        Close.Equal(expected, model.forward(films));
        Close.Equal(expected, model.forward(films.reshape(2, 12, 8, 12)));
    }

    [Theory]
    [InlineData(VideoAttention.Joint)]
    [InlineData(VideoAttention.Divided)]
    public void Without_positions_in_time_the_order_of_tubelets_is_lost_and_with_them_it_is_not(VideoAttention attention)
    {
        using var scope = NewDisposeScope();
        var films = randn([2, 6, 2, 8, 12]);
        var swapped = cat([films.narrow(1, 4, 2), films.narrow(1, 0, 4)], 1);
        double Moved(bool told) => Fresh(Small with { Attention = attention, TimePositions = told }) is var model
            ? Close.LargestDifference(model.forward(films), model.forward(swapped)) : 0;

        Assert.InRange(Moved(told: false), 0, 1e-5);
        Assert.InRange(Moved(told: true), 1e-4, 10);
    }

    [Fact]
    public void All_else_starts_alike_with_and_without_positions_in_time()
    {
        var (told, untold) = (Fresh(Small), Fresh(Small with { TimePositions = false }));
        Assert.Null(untold.time_embed);
        foreach (var (name, tensor) in untold.state_dict().Where(entry => entry.Key != "head.weight"))
            Close.Equal(tensor, told.state_dict()[name], 0);
    }

    [Theory]
    [InlineData(VideoAttention.Joint)]
    [InlineData(VideoAttention.Divided)]
    public void It_leaves_no_tensor_behind_and_every_parameter_gets_a_gradient(VideoAttention attention)
    {
        var model = Fresh(Small with { Attention = attention });
        using (var scope = NewDisposeScope())
        {
            var films = randn([2, 6, 2, 8, 12]);
            var before = scope.DisposablesCount;
            var logits = model.forward(films);
            Assert.Equal(before + 1, scope.DisposablesCount);
            logits.square().sum().backward();
        }
        Assert.All(model.named_parameters(), it => Assert.NotNull(it.parameter.grad));
    }

    [Fact]
    public void Parts_that_do_not_fit_are_named()
    {
        Refused("Frames is 7, expected a multiple of 2", Small with { Frames = 7 });
        Refused("ImageWidth is 13, expected a multiple of 4", Small with { ImageWidth = 13 });
        Refused("Width is 9, expected a multiple of 2", Small with { Width = 9 });
        Refused("Layers is 0, expected at least 1", Small with { Layers = 0 });
        Refused("Attention is 7, expected one of Joint, Divided", Small with { Attention = (VideoAttention)7 });
        var model = Fresh(Small);
        using var scope = NewDisposeScope();
        Assert.Contains("[B, 6, 2, 8, 12] or [B, 12, 8, 12], given were [2, 6, 2, 8, 8]", Assert.Throws<ArgumentException>(() => model.forward(zeros([2, 6, 2, 8, 8]))).Message);
        Assert.Throws<ArgumentException>(() => model.forward(zeros(6, 2)));

        static void Refused(string message, VideoTransformerConfig config) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => new VideoTransformer(config)).Message);
    }
}
