using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class PreprocessingTests
{
    static readonly Preprocessing Cropped = new() { Height = 28, Width = 28, Crop = 0.875 };

    [Fact]
    public void The_middle_is_the_same_whether_or_not_the_rest_is_computed() =>
        Gen.Select(Gen.Int[1, 90], Gen.Int[1, 90], Gen.Enum<Interpolation>()).Sample((height, width, filter) =>
        {
            using var scope = NewDisposeScope();
            var image = rand(3, height, width);
            var whole = Picture.CenterCrop(Picture.ResizeShorterSide(image, 32, filter), 28);
            var shown = (Cropped with { Interpolation = filter }).Apply(image);
            Close.Equal(Normalization.Half.Apply(whole.clamp(0, 1)).unsqueeze(0), shown);
        }, iter: 200, threads: 1);

    [Theory]
    [InlineData(1, 400)]
    [InlineData(400, 1)]
    public void A_narrow_strip_takes_no_more_memory_than_its_middle(int height, int width)
    {
        using var scope = NewDisposeScope();
        var image = rand(3, height, width);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal([1, 3, 28, 28], Cropped.Apply(image).shape);
        // All of it: 12,800 pixels, each with 400 weights of 8 bytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 1_000_000);
    }

    // timm's create_transform: Resize((floor(28 / 0.875), floor(56 / 0.875))) with ResizeKeepRatio, then CenterCrop.
    [Theory]
    [InlineData(100, 100, 64, 64)]
    [InlineData(100, 400, 32, 128)]
    [InlineData(400, 100, 256, 64)]
    public void A_crop_that_is_no_square_keeps_the_proportions(int height, int width, int resizedHeight, int resizedWidth)
    {
        using var scope = NewDisposeScope();
        var image = rand(3, height, width);
        var whole = Picture.Resize(image, resizedHeight, resizedWidth, Interpolation.Bicubic);
        var expected = whole.narrow(1, (resizedHeight - 28) / 2, 28).narrow(2, (resizedWidth - 56) / 2, 56).clamp(0, 1);
        Close.Equal(Normalization.Half.Apply(expected).unsqueeze(0), (Cropped with { Width = 56 }).Apply(image));
    }

    [Fact]
    public void Bytes_are_refused() =>
        Assert.Contains("expected a float tensor", Assert.Throws<ArgumentException>(() => Cropped.Apply(zeros(3, 40, 50, ScalarType.Byte))).Message);
}
