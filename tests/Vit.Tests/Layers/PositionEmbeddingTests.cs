using TorchSharp;
using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public class PositionEmbeddingTests
{
    [Fact]
    public void SinCos1D_FollowsItsFormula()
    {
        var table = PositionEmbedding.SinCos1D(length: 7, width: 10);

        Assert.Equal([7, 10], table.shape);
        for (var position = 0; position < 7; position++)
            for (var i = 0; i < 5; i++)
            {
                var angle = position / Math.Pow(10_000, 2 * i / 10.0);
                Assert.Equal(Math.Sin(angle), table[position, 2 * i].item<float>(), 1e-5);
                Assert.Equal(Math.Cos(angle), table[position, 2 * i + 1].item<float>(), 1e-5);
            }
    }

    [Fact]
    public void SinCos2D_FollowsItsFormula_OnAGridThatIsNotSquare()
    {
        var (rows, columns, width) = (3, 5, 16);
        var table = PositionEmbedding.SinCos2D(rows, columns, width);

        Assert.Equal([15, 16], table.shape);
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                for (var i = 0; i < 4; i++)
                {
                    var frequency = Math.Pow(10_000, -i / 3.0);
                    var vector = table[row * columns + column];
                    Assert.Equal(Math.Sin(column * frequency), vector[i].item<float>(), 1e-5);
                    Assert.Equal(Math.Cos(column * frequency), vector[4 + i].item<float>(), 1e-5);
                    Assert.Equal(Math.Sin(row * frequency), vector[8 + i].item<float>(), 1e-5);
                    Assert.Equal(Math.Cos(row * frequency), vector[12 + i].item<float>(), 1e-5);
                }
    }

    [Theory]
    [InlineData(PositionKind.Learned, true)]
    [InlineData(PositionKind.SinCos1D, false)]
    [InlineData(PositionKind.SinCos2D, false)]
    public void LearnedPositionsAreParameters_ComputedOnesAreBuffers(PositionKind kind, bool learned)
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Micro with { Positions = kind });
        Assert.Equal([1, 17, 48], model.pos_embed!.shape);
        Assert.Contains("pos_embed", model.state_dict().Keys);
        Assert.Equal(learned, model.named_parameters().Any(it => it.name == "pos_embed"));
        if (!learned)
            Assert.Equal(0, model.pos_embed![0, 0].abs().max().item<float>());
        model.to(float64);
        Assert.Equal(float64, model.pos_embed!.dtype);
    }

    [Theory]
    [InlineData(PositionKind.SinCos1D, 7)]
    [InlineData(PositionKind.SinCos2D, 10)]
    [InlineData(PositionKind.SinCos2D, 4)]
    [InlineData(PositionKind.None, 8)]
    public void AWidthThatDoesNotSuit_IsRefused(PositionKind kind, int width) =>
        Assert.Throws<ArgumentException>(() => PositionEmbedding.Table(kind, 2, 3, width));
}
