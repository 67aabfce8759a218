using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class NormalizationTests
{
    [Fact]
    public void Channels_are_moved_each_by_its_own_numbers()
    {
        var image = tensor(new[] { 0.485f, 0.456f + 0.224f, 1f }).reshape(3, 1, 1);
        var normalized = Normalization.ImageNet.Apply(image).data<float>();
        Assert.Equal([0f, 1f, 2.64f], normalized.Select(value => MathF.Round(value, 5)));
        Assert.Equal([-1f, 1f], Normalization.Half.Apply(tensor(new[] { 0f, 1f }).reshape(1, 1, 2)).data<float>());
    }

    [Fact]
    public void Equal_numbers_are_equal_normalisations()
    {
        Assert.Equal(new Normalization([.5f], [.5f]), Normalization.Half);
        Assert.Equal(new Normalization([.5f], [.5f]).GetHashCode(), Normalization.Half.GetHashCode());
        Assert.NotEqual(new Normalization([.5f], [.25f]), Normalization.Half);
        float[] mean = [0.5f];
        var own = new Normalization(mean, [.5f]);
        mean[0] = 1;
        Assert.Equal(Normalization.Half, own);
    }

    [Fact]
    public void Numbers_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new Normalization([0.5f], [0.5f, 0.5f]));
        Assert.Throws<ArgumentException>(() => new Normalization([0.5f], [0]));
        Assert.Throws<ArgumentException>(() => new Normalization([float.NaN], [1]));
        Assert.Throws<ArgumentException>(() => new Normalization([], []));
    }

    [Fact]
    public void Undo_is_the_inverse()
    {
        using var generator = new Generator(1);
        var images = rand([2, 3, 4, 5], generator: generator);
        foreach (var normalization in new[] { Normalization.ImageNet, Normalization.Half })
            Assert.True(normalization.Undo(normalization.Apply(images)).allclose(images, atol: 1e-6));
    }

    [Fact]
    public void Another_number_of_channels_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => Normalization.ImageNet.Apply(zeros(2, 1, 4, 4)));
        Assert.Contains("[2, 1, 4, 4]", error.Message);
        Assert.Contains("[..., 3, H, W]", error.Message);
    }
}
