using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Models;

public class ConvNetTests
{
    [Fact]
    public void TheNumberOfParameters_IsWhatTheConfigurationSays() =>
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 4].Array[1, 4], Gen.Int[1, 3], Gen.Int[1, 12]).Sample((channels, widths, blocks, classes) =>
        {
            var config = new ConvNetConfig { Channels = channels, Widths = [.. widths.Select(width => 16 * width)], Blocks = blocks, Classes = classes };
            using var model = new ConvNet(config);
            Assert.Equal(model.parameters().Sum(parameter => parameter.numel()), config.Parameters);
        }, iter: 50, threads: 1);

    [Theory]
    [InlineData(206_000), InlineData(456_000), InlineData(5_717_416), InlineData(22_050_664)]
    public void AMatchingNetwork_HasAboutAsManyParameters(long parameters)
    {
        var match = new ConvNetConfig().Matching(parameters);
        Assert.InRange(match.Parameters, 0.95 * parameters, 1.05 * parameters);
        using var model = new ConvNet(match);
    }

    [Fact]
    public void AnyImageSize_GivesLogits()
    {
        using var scope = NewDisposeScope();
        var model = new ConvNet(new ConvNetConfig { Channels = 1, Widths = [16, 48], Classes = 7 });
        Assert.Equal([2, 7], model.forward(randn(2, 1, 28, 28)).shape);
        Assert.Equal([2, 7], model.forward(randn(2, 1, 9, 13)).shape);
        var images = randn(2, 1, 9, 13);
        Close.Equal(model.forward(images), model.ForwardHead(model.ForwardFeatures(images)), 0);
        Assert.Equal([2, 48, 5, 7], model.ForwardFeatures(images).shape);
        model.ResetClassifier(0);
        Assert.Equal([2, 48], model.forward(images).shape);
        Assert.Equal((0, model.parameters().Sum(parameter => parameter.numel())), (model.Config.Classes, model.Config.Parameters));
        Assert.Throws<ArgumentException>(() => new ConvNet(new ConvNetConfig { Widths = [] }));
        Assert.Contains("multiples of 16", Assert.Throws<ArgumentException>(() => new ConvNet(new ConvNetConfig { Widths = [16, 20] })).Message);
    }

    [Fact]
    public void It_learns()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var model = new ConvNet(new ConvNetConfig { Channels = 1, Widths = [16, 16], Classes = 2 });
        var labels = arange(32) % 2;
        // Stripes down or across.
        var down = (arange(8) % 2).to(float32).expand(8, 8);
        var images = where(labels.reshape(-1, 1, 1, 1).eq(0), down, down.t()) + randn(32, 1, 8, 8) * 0.3;
        using var optimizer = optim.Adam(model.parameters(), 0.01);
        for (var step = 0; step < 30; step++)
        {
            optimizer.zero_grad();
            nn.functional.cross_entropy(model.forward(images), labels).backward();
            optimizer.step();
        }
        Assert.Equal(32, model.forward(images).argmax(1).eq(labels).sum().item<long>());
    }
}
