using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public sealed class MaskedAutoencoderTests
{
    static readonly VisionTransformerConfig Small = new()
    {
        ImageHeight = 8,
        ImageWidth = 12,
        Channels = 2,
        PatchSize = 4,
        Layers = 2,
        Width = 16,
        MlpWidth = 32,
        Heads = 2,
        Classes = 0,
    };

    static readonly MaskedAutoencoderConfig Decoder = new() { MaskShare = 0.5, DecoderWidth = 8, DecoderLayers = 1, DecoderHeads = 2 };

    static MaskedAutoencoder Create(MaskedAutoencoderConfig? decoder = null)
    {
        random.manual_seed(1);
        var model = new MaskedAutoencoder(new VisionTransformer(Small), decoder ?? Decoder);
        model.eval();
        return model;
    }

    [Fact]
    public void An_encoder_that_is_shown_every_patch_computes_what_it_always_does()
    {
        random.manual_seed(1);
        using var vit = new VisionTransformer(Small);
        vit.eval();
        using var images = randn(2, 2, 8, 12);
        using var all = arange(6, dtype: int64).expand(2, -1);
        using var noGradients = no_grad();

        Assert.Equal(0, (vit.ForwardFeatures(images) - vit.ForwardFeatures(images, all)).abs().max().item<float>(), 1e-6);

        // Which patches are shown is said, and not left to PatchDropout.
        using var some = tensor(new long[,] { { 5 }, { 2 } });
        using var shown = vit.ForwardFeatures(images, some);
        vit.train();
        vit.PatchDropout = 0.5;
        Assert.Equal(0, (shown - vit.ForwardFeatures(images, some)).abs().max().item<float>(), 1e-6);
    }

    [Fact]
    public void The_order_in_which_patches_are_shown_is_indifferent()
    {
        using var model = Create();
        using var images = randn(2, 2, 8, 12);
        using var noGradients = no_grad();
        var one = model.Reconstruct(images, tensor(new long[,] { { 0, 2, 5 }, { 1, 3, 4 } }));
        var other = model.Reconstruct(images, tensor(new long[,] { { 5, 0, 2 }, { 4, 1, 3 } }));

        Assert.Equal(0, (one - other).abs().max().item<float>(), 1e-5);
    }

    [Fact]
    public void Only_the_hidden_patches_count_and_only_the_shown_ones_are_seen()
    {
        using var model = Create();
        using var noGradients = no_grad();
        var images = randn(1, 2, 8, 12);
        var shown = tensor(new long[,] { { 0, 2, 5 } });
        var before = model.Reconstruct(images, shown);
        Tensor With(int row, int column)    // a pixel changed
        {
            var changed = images.clone();
            changed[0, 0, row, column] += 1;
            return changed;
        }

        // Patch 1 is hidden: rows 0 to 3, columns 4 to 7.
        var hidden = With(1, 5);
        Assert.Equal(0, (model.Reconstruct(hidden, shown) - before).abs().max().item<float>());
        Assert.NotEqual(model.Loss(images, shown, before).item<float>(), model.Loss(hidden, shown, before).item<float>());
        // Patch 2 is shown: columns 8 to 11.
        var visible = With(1, 9);
        Assert.True((model.Reconstruct(visible, shown) - before).abs().max().item<float>() > 1e-4);
        Assert.Equal(model.Loss(images, shown, before).item<float>(), model.Loss(visible, shown, before).item<float>());
    }

    [Theory, InlineData(false), InlineData(true)]
    public void It_computes_what_the_paper_says(bool normalize)
    {
        using var model = Create(Decoder with { NormalizeTargets = normalize });
        using var noGradients = no_grad();
        var images = randn(1, 2, 8, 12);
        long[] places = [4, 1, 3];
        var shown = tensor(places).unsqueeze(0);

        // The encoder on the patches alone, one after the other.
        var vit = model.encoder;
        var embedded = Patches.Cut(images, 4).matmul(vit.patch_embed.proj.weight!.flatten(1).t()) + vit.patch_embed.proj.bias!;
        var tokens = cat([vit.cls_token! + vit.pos_embed![0, 0], .. places.Select(place => (embedded[0, place] + vit.pos_embed[0, 1 + place]).reshape(1, 1, 16))], 1);
        foreach (var block in vit.blocks)
            tokens = block.forward(tokens);
        var seen = model.decoder_embed.forward(vit.norm!.forward(tokens));
        // The decoder on all, the mask token where a patch is hidden.
        var row = Enumerable.Range(0, 6).Select(place => Array.IndexOf(places, place) is >= 0 and var at ? seen[0, 1 + at] : model.mask_token[0, 0]);
        tokens = cat([seen[.., ..1], (stack([.. row]) + PositionEmbedding.SinCos2D(2, 3, 8)).unsqueeze(0)], 1);
        foreach (var block in model.decoder_blocks)
            tokens = block.forward(tokens);
        var expected = model.decoder_pred.forward(model.decoder_norm.forward(tokens))[.., 1..];

        var found = model.Reconstruct(images, shown);
        Assert.Equal(0, (expected - found).abs().max().item<float>(), 1e-5);

        var loss = 0.0;
        foreach (var place in new[] { 0, 2, 5 })
        {
            var pixels = Patches.Cut(images, 4)[0, place].data<float>().Select(x => (double)x).ToArray();
            if (normalize)
            {
                var mean = pixels.Average();
                var variance = pixels.Sum(x => (x - mean) * (x - mean)) / (pixels.Length - 1);
                pixels = [.. pixels.Select(x => (x - mean) / Math.Sqrt(variance + 1e-6))];
            }
            loss += pixels.Zip(found[0, place].data<float>(), (x, y) => (x - y) * (x - y)).Average() / 3;
        }
        Assert.Equal(loss, model.Loss(images, shown, found).item<float>(), 1e-5);
    }

    [Fact]
    public void It_learns_what_is_hidden()
    {
        using var model = Create();
        model.train();
        // Every image is one colour: a single patch tells all others.
        using var images = randn(16, 2, 1, 1).expand(-1, -1, 8, 12).contiguous();
        using var optimizer = optim.AdamW(model.parameters(), 5e-3);
        double first = 0, last = 0;
        for (var step = 0; step < 60; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var loss = model.forward(images);
            loss.backward();
            optimizer.step();
            last = loss.item<float>();
            first = step == 0 ? last : first;
        }
        Assert.True(last < first / 4, $"from {first} to {last}");
        Assert.All(model.named_parameters(), it => Assert.NotNull(it.parameter.grad));
    }

    [Theory, InlineData(0.0), InlineData(1.0), InlineData(-1.0), InlineData(double.NaN)]
    public void A_mask_hides_some_patches_and_not_all(double share)
    {
        using var vit = new VisionTransformer(Small);
        var error = Assert.Throws<ArgumentException>(() => new MaskedAutoencoder(vit, Decoder with { MaskShare = share }));
        Assert.Contains("6 patches", error.Message);
    }

    [Fact]
    public void Patches_that_do_not_fit_the_images_are_refused()
    {
        using var model = Create();
        using var images = randn(2, 2, 8, 12);
        foreach (var shown in new[] { zeros(1, 3, dtype: int64), zeros(2, 0, dtype: int64), zeros(3, dtype: int64), zeros(2, 3) })
            Assert.Throws<ArgumentException>("shown", () => model.Reconstruct(images, shown));
    }
}
