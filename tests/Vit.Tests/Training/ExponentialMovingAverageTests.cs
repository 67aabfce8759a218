using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Tests.Training;

public class ExponentialMovingAverageTests
{
    [Fact]
    public void Follows_the_weights()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = nn.Linear(1, 1, hasBias: false);
        model.weight!.fill_(0);
        using var average = new ExponentialMovingAverage(model, 0.5);
        var expected = 0.0;
        for (var step = 1; step <= 30; step++)
        {
            model.weight!.fill_(step);
            average.Update(step);
            var keep = Math.Min(0.5, (1.0 + step) / (10 + step));
            expected = keep * expected + (1 - keep) * step;
            Assert.Equal(expected, average.State["weight"].item<float>(), 1e-4);
        }
        Assert.Equal(30, model.weight!.item<float>());
    }

    [Fact]
    public void Stands_in_the_model_and_goes_back()
    {
        using var scope = NewDisposeScope();
        using var model = Small.Model();
        using var average = new ExponentialMovingAverage(model, 0.9);
        using (no_grad())
            model.head!.bias!.fill_(3);
        var before = Small.Bits(model);
        average.Exchange(inModel: true);
        average.Exchange(inModel: true);
        Assert.Equal(0, model.head!.bias!.sum().item<float>());
        average.Exchange(inModel: false);
        Assert.Equal(before, Small.Bits(model));
    }
}
