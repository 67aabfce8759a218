using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class MixingTests
{
    // Image i holds nothing but i + 1 and is of class i modulo the classes.
    static (Tensor Images, Tensor Labels) Numbered(int count, int classes, int height = 12, int width = 10) => (
        (arange(count) + 1).to(float32).reshape(-1, 1, 1, 1).expand(count, 2, height, width).contiguous(), arange(count, int64).remainder(classes));

    [Fact]
    public void It_is_a_function_of_the_batch_and_the_seed() =>
        Gen.Select(Gen.Double[0, 3], Gen.Double[0, 3], Gen.Double[0, 1], Gen.Double[0, 0.5], Gen.Int[1, 9], Gen.Long).Sample((up, cut, probability, smoothing, count, seed) =>
        {
            using var scope = NewDisposeScope();
            var (images, labels) = Numbered(count, 4);
            var before = images.clone();
            var mixing = new Mixing { MixUpAlpha = up, CutMixAlpha = cut, Probability = probability };
            manual_seed(3);
            var (mixed, targets) = mixing.Apply(images, labels, 4, smoothing, seed);
            var afterwards = rand(1).item<float>();
            Assert.Equal(images.shape, mixed.shape);
            Assert.Equal([count, 4L], targets.shape);
            Close.Equal(ones(count), targets.sum(1));
            Assert.Equal(before.bytes, images.bytes);
            manual_seed(4);
            var (again, targetsAgain) = mixing.Apply(images, labels, 4, smoothing, seed);
            Assert.Equal(mixed.bytes, again.bytes);
            Assert.Equal(targets.bytes, targetsAgain.bytes);
            manual_seed(3);
            Assert.Equal(afterwards, rand(1).item<float>());
        }, iter: 60, threads: 1);

    [Fact]
    public void Mixup_mixes_images_and_targets_in_the_same_proportion()
    {
        using var scope = NewDisposeScope();
        var (images, labels) = Numbered(64, 64);
        var (mixed, targets) = new Mixing { MixUpAlpha = 0.8 }.Apply(images, labels, 64, 0, 5);
        Assert.Equal(0, (mixed - mixed[.., ..1, ..1, ..1]).abs().max().item<float>());
        // What the targets say of the numbers is what the pixels show.
        Close.Equal(targets.matmul(arange(64, dtype: float32) + 1), mixed[.., 0, 0, 0], 1e-4);
        var shares = targets.gather(1, labels.unsqueeze(1));
        Assert.InRange(shares.mean().item<float>(), 0.35, 0.65);
        Assert.True(((shares > 0.2) & (shares < 0.8)).sum().item<long>() > 10);
    }

    // Beta(α, α) has mean 1/2 and variance 1 / (4 (2 α + 1)).
    [Theory]
    [InlineData(0.2)]
    [InlineData(1)]
    [InlineData(4)]
    public void Shares_come_from_the_beta_distribution(double alpha)
    {
        using var scope = NewDisposeScope();
        var (images, labels) = (zeros(20_000, 1, 1, 1), zeros(20_000, int64));
        images[..10_000] = 1;
        // Where a 1 met a 0, the pixel is the share.
        var (mixed, _) = new Mixing { MixUpAlpha = alpha }.Apply(images, labels, 1, 0, 5);
        var shares = mixed[..10_000].flatten();
        shares = shares[shares != 1];
        Assert.InRange(shares.shape[0], 3_500, 6_000);
        var variance = 1 / (4 * (2 * alpha + 1));
        Assert.InRange(shares.mean().item<float>(), 0.48, 0.52);
        Assert.InRange(shares.@var().item<float>(), 0.94 * variance, 1.06 * variance);
        Assert.InRange(shares.sub(0.5).pow(4).mean().item<float>(), 0.9 * Fourth(alpha), 1.1 * Fourth(alpha));

        static double Fourth(double a) => 3 / (16 * (2 * a + 1) * (2 * a + 3));
    }

    [Fact]
    public void Cutmix_puts_in_one_rectangle_and_weighs_by_its_true_area()
    {
        using var scope = NewDisposeScope();
        var (images, labels) = Numbered(200, 200);
        var (mixed, targets) = new Mixing { CutMixAlpha = 1 }.Apply(images, labels, 200, 0, 5);
        var cut = 0;
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(0, (mixed[i, 0] - mixed[i, 1]).abs().max().item<float>());
            var foreign = mixed[i, 0] != i + 1;
            var area = foreign.sum().item<long>();
            Assert.Equal(foreign.any(0).sum().item<long>() * foreign.any(1).sum().item<long>(), area);
            Close.Equal(1 - tensor(area / 120f), targets[i, i].clone());
            if (area > 0)
            {
                cut++;
                var other = mixed[i, 0][foreign].unique(sorted: true).output.data<float>().ToArray();
                Close.Equal(tensor(area / 120f), targets[i, (int)Assert.Single(other) - 1].clone());
            }
        }
        Assert.True(cut > 100);
    }

    [Fact]
    public void With_both_each_gets_half_of_what_is_mixed()
    {
        using var scope = NewDisposeScope();
        var (images, labels) = Numbered(1000, 1000, 8, 8);
        var (mixed, targets) = new Mixing { MixUpAlpha = 1, CutMixAlpha = 1, Probability = 0.6 }.Apply(images, labels, 1000, 0, 5);
        var blended = (mixed != mixed.round()).any(3).any(2).any(1).sum().item<long>();
        var kept = (targets.gather(1, labels.unsqueeze(1)) == 1).sum().item<long>();
        Assert.InRange(blended, 250, 350);
        // A rectangle may have no pixel; then the image stays.
        Assert.InRange(kept, 370, 500);
    }

    [Fact]
    public void Without_mixing_targets_are_smoothed_labels()
    {
        var (images, labels) = Numbered(3, 2);
        var (same, targets) = new Mixing().Apply(images, labels, 2, 0.1, 1);
        Assert.Equal(images.bytes, same.bytes);
        Assert.NotEqual(images.Handle, same.Handle);
        Close.Equal(tensor(new[,] { { 0.95f, 0.05f }, { 0.05f, 0.95f }, { 0.95f, 0.05f } }), targets);
        Close.Equal(targets, Mixing.Targets(labels, 2, 0.1), 0);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var (images, labels) = Numbered(3, 3);
        Assert.Contains("0 to 1", Assert.Throws<ArgumentException>(() => new Mixing().Apply(images, labels, 2, 0, 0)).Message);
        Assert.Contains("Found 2 labels, expected 3", Assert.Throws<ArgumentException>(() => new Mixing().Apply(images, labels[..2], 3, 0, 0)).Message);
        Assert.Contains("[B, C, H, W]", Assert.Throws<ArgumentException>(() => new Mixing().Apply(images[0], labels, 3, 0, 0)).Message);
        Assert.Contains("int64 [B]", Assert.Throws<ArgumentException>(() => new Mixing().Apply(images, labels.to(int32), 3, 0, 0)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Mixing { MixUpAlpha = -1 }.Apply(images, labels, 3, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Mixing { CutMixAlpha = double.NaN }.Apply(images, labels, 3, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Mixing { Probability = 2 }.Apply(images, labels, 3, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Mixing().Apply(images, labels, 3, 1.5, 0));
    }
}
