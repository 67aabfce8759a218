using Vit.Data;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Weights;

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

    [Fact]
    public void Bytes_are_refused() =>
        Assert.Contains("expected a float tensor", Assert.Throws<ArgumentException>(() => Cropped.Apply(zeros(3, 40, 50, ScalarType.Byte))).Message);
}
