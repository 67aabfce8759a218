using Vit.Detection;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public sealed class DetectorTests
{
    static readonly VisionTransformerConfig Small = new()
    {
        ImageHeight = 16,
        ImageWidth = 16,
        Channels = 1,
        PatchSize = 4,
        Layers = 1,
        Width = 32,
        MlpWidth = 64,
        Heads = 2,
        Pooling = Pooling.Mean,
        NormBeforePooling = true,
    };

    static readonly BoxDecoderConfig Decoder = new() { Queries = 5, Classes = 2, Width = 32, MlpWidth = 64, Heads = 2, Layers = 2, GridRows = 4, GridColumns = 4 };

    [Fact]
    public void Each_block_answers_with_a_class_and_a_box_of_each_query()
    {
        using var scope = NewDisposeScope();
        var model = new Detector(Small, Decoder);
        model.eval();
        var images = randn(3, 1, 16, 16);
        var answers = model.forward(images);
        Assert.Equal(2, answers.Count);
        Assert.All(answers, it => Assert.Equal([3, 5, 3], it.Logits.shape));
        Assert.All(answers, it => Assert.Equal([3, 5, 4], it.Boxes.shape));
        // The box head is zero at first: each query answers with the box that it starts from, in every image.
        Close.Equal(model.decoder.anchor.sigmoid().expand(3, -1, -1), answers[1].Boxes);
        Assert.InRange(answers[1].Boxes.narrow(-1, 0, 2).min().item<float>(), 0.1, 0.5);

        nn.init.normal_(model.decoder.box_head.weight);
        answers = model.forward(images);
        var (traced, weights) = model.decoder.Trace(model.encoder.ForwardFeatures(images));
        Close.Equal(answers[1].Boxes, traced.Boxes);
        Close.Equal(answers[1].Logits, traced.Logits);
        Assert.Equal([3, 2, 5, 16], weights.shape);
        Close.Equal(ones(3, 2, 5), weights.sum(-1));
    }

    [Fact]
    public void It_learns_where_a_bright_square_is_and_whether_there_are_two()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(18);
        var model = new Detector(Small, Decoder);
        // One square on the left, or one on the left and a larger one on the right, of another class.
        var images = zeros(4, 1, 16, 16);
        var (labels, boxes) = (full([4L, 2L], -1, int64), zeros(4, 2, 4));
        for (var i = 0; i < 4; i++)
        {
            images[i, 0].narrow(0, 2 * i, 4).narrow(1, 1, 4).fill_(1);
            labels[i, 0] = 0;
            boxes[i, 0] = tensor(new[] { 3 / 16f, (2 * i + 2) / 16f, 4 / 16f, 4 / 16f });
            if (i % 2 == 0)
                continue;
            images[i, 0].narrow(0, 5, 6).narrow(1, 9, 6).fill_(1);
            labels[i, 1] = 1;
            boxes[i, 1] = tensor(new[] { 12 / 16f, 8 / 16f, 6 / 16f, 6 / 16f });
        }
        var (loss, optimizer) = (new SetLoss(), new AdamW(model, 0.01));
        for (var step = 0; step < 150; step++)
        {
            using var inner = NewDisposeScope();
            optimizer.ZeroGrad();
            model.call(images).Select(it => loss.Of(it, labels, boxes)).Aggregate((a, b) => a + b).backward();
            optimizer.Step(3e-3, clipNorm: 1);
        }
        model.eval();
        var found = model.call(images)[^1].Read();
        Assert.InRange(AveragePrecision.Mean(found, ScoredBox.OfTruth(labels, boxes)), 0.95, 1);
        Assert.Equal(6, found.Count(box => box.Score > 0.5));
    }

    [Fact]
    public void What_does_not_fit_is_told()
    {
        Assert.Contains("encoder's width 32, given was 16", Assert.Throws<ArgumentException>("decoder", () => new Detector(Small, Decoder with { Width = 16 })).Message);
        Assert.Throws<ArgumentException>("config", () => new Detector(Small with { NormBeforePooling = false }, Decoder));
        Assert.Throws<ArgumentException>("config", () => new BoxDecoder(Decoder with { Queries = 0 }));
        Assert.Throws<ArgumentException>("config", () => new BoxDecoder(Decoder with { GridRows = 0 }));
        // As many tokens, and elsewhere.
        Assert.Contains("4 × 4 tokens, given was one of 2 × 8", Assert.Throws<ArgumentException>("decoder", () => new Detector(Small, Decoder with { GridRows = 2, GridColumns = 8 })).Message);
        Assert.Contains("1 tokens in front", Assert.Throws<ArgumentException>("config", () => new Detector(Small with { RegisterTokens = 1 }, Decoder)).Message);
        using var model = new Detector(Small, Decoder);
        Assert.Contains("[B, 1, 16, 16]", Assert.Throws<ArgumentException>(() => model.forward(zeros(1, 1, 8, 8))).Message);
    }
}
