using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public class SegmenterTests
{
    static readonly VisionTransformerConfig Small = VisionTransformerConfig.Micro with
    {
        ImageHeight = 16,
        ImageWidth = 24,
        PatchSize = 4,
        Channels = 1,
        Classes = 2,
        Pooling = Pooling.Mean,
        NormBeforePooling = true,
    };

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Each_pixels_logits_are_those_of_its_place_in_its_patch(bool extraTokens)
    {
        using var scope = NewDisposeScope();
        var model = new Segmenter(Small with { UnreadClassToken = extraTokens, RegisterTokens = extraTokens ? 2 : 0 });
        model.eval();
        nn.init.normal_(model.head.weight);
        nn.init.normal_(model.head.bias!);
        var images = randn(2, 1, 16, 24);
        var logits = model.forward(images);
        Assert.Equal([2, 2, 16, 24], logits.shape);

        var tokens = model.encoder.ForwardFeatures(images)[.., (extraTokens ? 3 : 0)..];
        foreach (var (image, kind, row, column) in new[] { (0, 0, 0, 0), (1, 1, 15, 23), (1, 0, 6, 9), (0, 1, 9, 2) })
        {
            var token = tokens[image, row / 4 * 6 + column / 4];
            var output = kind * 16 + row % 4 * 4 + column % 4;
            var expected = (model.head.weight[output] * token).sum() + model.head.bias![output];
            Close.Equal(expected, logits[image, kind, row, column]);
        }
    }

    [Fact]
    public void It_starts_at_one_half_and_learns_a_mask()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(19);
        var model = new Segmenter(Small with { Classes = 1 });
        var images = rand(4, 1, 16, 24);
        var masks = images.gt(0.5).to(float32);
        Assert.Equal(0, model.forward(images).abs().max().item<float>());
        var optimizer = optim.AdamW(model.parameters(), 3e-3);
        var loss = 0f;
        for (var step = 0; step < 150; step++)
        {
            using var inner = NewDisposeScope();
            var difference = nn.functional.binary_cross_entropy_with_logits(model.forward(images), masks);
            optimizer.zero_grad();
            difference.backward();
            optimizer.step();
            loss = difference.item<float>();
        }
        Assert.InRange(loss, 0, 0.5f * MathF.Log(2));
    }

    [Fact]
    public void Its_parameters_are_the_encoders_and_one_linear_layers()
    {
        using var model = new Segmenter(Small);
        using var encoder = new VisionTransformer(Small with { Classes = 0 });
        Assert.Equal(encoder.parameters().Sum(p => p.numel()) + 49 * 2 * 16, model.parameters().Sum(p => p.numel()));
        Assert.Contains("encoder.blocks.0.attn.qkv.weight", model.state_dict().Keys);
        Assert.Contains("head.weight", model.state_dict().Keys);
    }

    [Fact]
    public void What_does_not_fit_is_told()
    {
        Assert.Contains("at least 1 class", Assert.Throws<ArgumentException>(() => new Segmenter(Small with { Classes = 0 })).Message);
        Assert.Contains("NormBeforePooling", Assert.Throws<ArgumentException>(() => new Segmenter(Small with { NormBeforePooling = false })).Message);
        using var model = new Segmenter(Small);
        Assert.Contains("[B, 1, 16, 24]", Assert.Throws<ArgumentException>(() => model.forward(zeros(1, 1, 24, 16))).Message);
    }
}
