using TorchSharp;
using Vit.Inspection;
using static TorchSharp.torch;

namespace Vit.Tests.Inspection;

public class OcclusionTests
{
    [Fact]
    public void Only_what_the_model_looks_at_matters()
    {
        var image = ones(1, 6, 4);
        var (whole, covered) = Occlusion.Probabilities(new OnePixel(), image, label: 1, size: 2);
        Assert.Equal(1 / (1 + Math.Exp(-1)), whole, 6);
        var expected = full([3, 2], whole);
        expected[2, 1] = 0.5;
        Close.Equal(expected.to(float32), covered, 1e-6);
        Assert.Equal(24, image.sum().ToDouble());
    }

    [Fact]
    public void Many_squares_go_through_the_model_in_parts()
    {
        var model = new OnePixel();
        var (_, covered) = Occlusion.Probabilities(model, ones(1, 16, 16), label: 1, size: 1);
        Assert.Equal(256, covered.lt(0.6).logical_not().sum().item<long>() + 1);
        Assert.Equal(0.5f, covered[4, 3].item<float>());
        Assert.Equal(257, model.Seen.Sum());
        Assert.All(model.Seen, batch => Assert.InRange(batch, 1, 64));
    }

    [Fact]
    public void A_square_that_does_not_divide_the_image_is_refused() =>
        Assert.Contains("[1, 6, 4]", Assert.Throws<ArgumentException>(() => Occlusion.Probabilities(new OnePixel(), ones(1, 6, 4), 0, 4)).Message);

    /// <summary>Two classes; the second's logit is the pixel in row 4, column 3.</summary>
    sealed class OnePixel() : nn.Module<Tensor, Tensor>(nameof(OnePixel))
    {
        public List<long> Seen { get; } = [];

        public override Tensor forward(Tensor images)
        {
            Seen.Add(images.shape[0]);
            var pixel = images.select(3, 3).select(2, 4);                                      // [B, 1]
            return cat([zeros_like(pixel), pixel], 1);
        }
    }
}
