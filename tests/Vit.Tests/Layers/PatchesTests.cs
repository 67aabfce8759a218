using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Tests.Layers;

public class PatchesTests
{
    static readonly Gen<(int Batch, int Channels, int Rows, int Columns, int PatchSize)> Sizes = Gen.Select(
        Gen.Int[1, 3], Gen.Int[1, 4], Gen.Int[1, 6], Gen.Int[1, 6], Gen.Int[1, 9]);

    [Fact]
    public void CutThenAssemble_IsTheIdentity_ForAnyValidSize() => Sizes.Sample(size =>
    {
        using var scope = NewDisposeScope();
        var (height, width) = (size.Rows * size.PatchSize, size.Columns * size.PatchSize);
        var images = rand(size.Batch, size.Channels, height, width);

        var patches = Patches.Cut(images, size.PatchSize);

        Assert.Equal([size.Batch, size.Rows * size.Columns, size.Channels * size.PatchSize * size.PatchSize], patches.shape);
        Assert.True(Patches.Assemble(patches, size.PatchSize, height, width).equal(images).all().item<bool>());
    }, iter: 300, threads: 1);

    [Fact]
    public void Cut_OrdersPatchesRowByRow_AndPixelsByChannel()
    {
        var image = arange(2 * 4 * 6).reshape(1, 2, 4, 6);

        var patches = Patches.Cut(image, 2);

        Assert.Equal([1, 6, 8], patches.shape);
        Assert.Equal([0, 1, 6, 7, 24, 25, 30, 31], patches[0, 0].data<long>().ToArray());
        Assert.Equal([2, 3, 8, 9, 26, 27, 32, 33], patches[0, 1].data<long>().ToArray());
        Assert.Equal([12, 13, 18, 19, 36, 37, 42, 43], patches[0, 3].data<long>().ToArray());
    }

    [Theory]
    [InlineData(30, 32, 8, "30 × 32", "32 × 32")]
    [InlineData(224, 225, 16, "224 × 225", "224 × 224")]
    [InlineData(5, 5, 8, "5 × 5", "8 × 8")]
    public void Cut_OfASizeThatDoesNotDivide_SaysWhatWouldFit(int height, int width, int patchSize, string given, string fitting)
    {
        var e = Assert.Throws<ArgumentException>(() => Patches.Cut(zeros(1, 3, height, width), patchSize));
        Assert.Contains(given, e.Message);
        Assert.Contains(fitting, e.Message);
    }

    [Fact]
    public void Cut_OfOneImageWithoutBatch_SaysHowToMakeABatch() =>
        Assert.Contains("unsqueeze(0)", Assert.Throws<ArgumentException>(() => Patches.Cut(zeros(3, 32, 32), 8)).Message);

    [Theory]
    [InlineData(0)]
    [InlineData(-4)]
    public void Cut_IntoPatchesOfNoSize_Throws(int patchSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Patches.Cut(zeros(1, 3, 32, 32), patchSize));

    [Fact]
    public void Assemble_OfTheWrongNumberOfPatches_SaysHowManyItTakes()
    {
        var e = Assert.Throws<ArgumentException>(() => Patches.Assemble(zeros(1, 15, 192), 8, 32, 32));
        Assert.Contains("[B, 16, C · 64]", e.Message);
        Assert.Contains("[1, 15, 192]", e.Message);
    }

    [Fact]
    public void PatchEmbedding_IsAConvolutionWhoseStrideIsItsKernel() => Sizes.Sample(size =>
    {
        using var scope = NewDisposeScope();
        var embedding = new PatchEmbedding(size.Channels, size.PatchSize, width: 16);
        var images = randn(size.Batch, size.Channels, size.Rows * size.PatchSize, size.Columns * size.PatchSize);

        var expected = embedding.proj.forward(images).flatten(2).transpose(1, 2);

        Close.Equal(expected, embedding.forward(images));
    }, iter: 100, threads: 1);

    [Fact]
    public void PatchEmbedding_OfOtherChannels_NamesThem() => Assert.Contains("3 channels",
        Assert.Throws<ArgumentException>(() => new PatchEmbedding(3, 8, 16).forward(zeros(1, 1, 32, 32))).Message);
}
