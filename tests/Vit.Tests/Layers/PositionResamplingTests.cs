using Vit.Data;
using Vit.Layers;
using Vit.Tests.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public class PositionResamplingTests
{
    [Theory]
    [InlineData("bicubic.24x24", 24, 24, Interpolation.Bicubic, false)]
    [InlineData("bicubic-antialias.24x24", 24, 24, Interpolation.Bicubic, true)]
    [InlineData("bicubic-antialias.7x10", 7, 10, Interpolation.Bicubic, true)]
    [InlineData("bilinear.24x24", 24, 24, Interpolation.Bilinear, false)]
    public void As_the_reference_does(string name, int rows, int columns, Interpolation interpolation, bool antialias)
    {
        using var scope = NewDisposeScope();
        var expected = Fixture.Expected("position-resampling");
        var source = expected["source.14x14"];
        var resampled = PositionResampling.Resample(source, 1, (14, 14), (rows, columns), interpolation, antialias);
        Close.Equal(expected[name], resampled);
        SameBits.Assert(source[.., ..1], resampled[.., ..1]);
    }

    [Fact]
    public void TheSameGrid_StaysAsItIs()
    {
        using var scope = NewDisposeScope();
        var positions = randn(1, 5 + 3 * 4, 8);
        Close.Equal(positions, PositionResampling.Resample(positions, 5, (3, 4), (3, 4)), 1e-6);
    }

    [Fact]
    public void AnotherGridThanSaid_IsTold()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("[1, 17, D]", Assert.Throws<ArgumentException>(() => PositionResampling.Resample(zeros(1, 16, 8), 1, (4, 4), (2, 2))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => PositionResampling.Resample(zeros(1, 17, 8), 1, (4, 4), (0, 2)));
    }
}
