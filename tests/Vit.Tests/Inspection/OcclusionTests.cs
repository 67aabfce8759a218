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
    public void A_square_that_does_not_divide_the_image_is_refused() =>
        Assert.Contains("[1, 6, 4]", Assert.Throws<ArgumentException>(() => Occlusion.Probabilities(new OnePixel(), ones(1, 6, 4), 0, 4)).Message);

    /// <summary>Two classes; the second's logit is the pixel in row 4, column 3.</summary>
    sealed class OnePixel() : nn.Module<Tensor, Tensor>(nameof(OnePixel))
    {
        public override Tensor forward(Tensor images)
        {
            var pixel = images.select(3, 3).select(2, 4);                                      // [B, 1]
            return cat([zeros_like(pixel), pixel], 1);
        }
    }
}
