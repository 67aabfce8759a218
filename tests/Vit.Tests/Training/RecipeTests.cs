using Vit.Data;
using Vit.Training;

namespace Vit.Tests.Training;

public class RecipeTests
{
    [Fact]
    public void Json_keeps_all()
    {
        var json = Small.FullRecipe.ToJson();
        var read = Recipe.FromJson(json);
        Assert.Equal(json, read.ToJson());
        Assert.Equal(Small.FullRecipe.Augmentation, read.Augmentation);
        Assert.Equal(Small.FullRecipe.Mixing, read.Mixing);
        Assert.Equal(Small.FullRecipe, read);
    }

    [Fact]
    public void Names_of_before_are_read()
    {
        const string Old = """
            {"Epochs": 3, "BatchSize": 16, "LearningRate": 0.003, "Seed": 5, "Device": "cpu", "Accumulation": 2, "ClipNorm": 3, "AverageDecay": 0.9, "Normalization": {"Mean": [0.5], "Std": [0.25]},
             "Augmentation": {"SmallestCrop": 0.5, "Flip": true, "DistortionCount": 2, "DistortionMagnitude": 4}}
            """;
        var expected = Small.Recipe with
        {
            GradientAccumulationSteps = 2,
            MaxGradNorm = 3,
            EmaDecay = 0.9,
            Augmentation = new() { ResizedCropScale = 0.5, HorizontalFlip = true, RandAugmentOps = 2, RandAugmentMagnitude = 4 },
        };
        Assert.Equal(expected, Recipe.FromJson(Old));
        Assert.DoesNotContain("Accumulation\"", expected.ToJson());
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("{}", "Epochs")]
    [InlineData("{\"Epochs\": 3, \"LerningRate\": 1}", "LerningRate")]
    [InlineData("{\"Epochs\": \"many\"}", "Epochs")]
    [InlineData("{\"Epochs\": 3", "cannot be read")]
    public void Other_json_is_refused(string json, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => Recipe.FromJson(json)).Message);

    public static TheoryData<string, Recipe> Unfit => new()
    {
        { nameof(Recipe.Epochs), Small.Recipe with { Epochs = 0 } },
        { nameof(Recipe.BatchSize), Small.Recipe with { BatchSize = 0 } },
        { nameof(Recipe.GradientAccumulationSteps), Small.Recipe with { GradientAccumulationSteps = 17 } },
        { nameof(Recipe.LearningRate), Small.Recipe with { LearningRate = double.NaN } },
        { nameof(Recipe.FinalRate), Small.Recipe with { FinalRate = 1.1 } },
        { nameof(Recipe.WarmUpEpochs), Small.Recipe with { WarmUpEpochs = 4 } },
        { nameof(Recipe.WeightDecay), Small.Recipe with { WeightDecay = -1 } },
        { nameof(Recipe.Beta1), Small.Recipe with { Beta1 = 1 } },
        { nameof(Recipe.Beta2), Small.Recipe with { Beta2 = double.NaN } },
        { nameof(Recipe.Epsilon), Small.Recipe with { Epsilon = 0 } },
        { nameof(Recipe.MaxGradNorm), Small.Recipe with { MaxGradNorm = 0 } },
        { nameof(Recipe.LabelSmoothing), Small.Recipe with { LabelSmoothing = 1 } },
        { nameof(Recipe.EmaDecay), Small.Recipe with { EmaDecay = 1 } },
        { nameof(Recipe.Patience), Small.Recipe with { Patience = 0 } },
        { nameof(Recipe.ValidationCount), Small.Recipe with { ValidationCount = -1 } },
        { nameof(Recipe.Precision), Small.Recipe with { Precision = (Precision)7 } },
        { nameof(Augmentation.CropPadding), Small.Recipe with { Augmentation = new() { CropPadding = -1 } } },
        { nameof(Augmentation.ResizedCropScale), Small.Recipe with { Augmentation = new() { ResizedCropScale = 0 } } },
        { nameof(Augmentation.ErasingProbability), Small.Recipe with { Augmentation = new() { ErasingProbability = double.NaN } } },
        { nameof(Mixing.MixUpAlpha), Small.Recipe with { Mixing = new() { MixUpAlpha = -1 } } },
        { nameof(Mixing.Probability), Small.Recipe with { Mixing = new() { Probability = 2 } } },
        { "name", Small.Recipe with { Device = "gpu" } },
    };

    [Theory]
    [MemberData(nameof(Unfit))]
    public void Values_out_of_range_are_named(string name, Recipe recipe) =>
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(recipe.Check).ParamName);

    [Fact]
    public void The_learning_rate_rises_to_its_peak_and_falls_to_its_end() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 50], Gen.Double[0, 1], Gen.Double[0, 1]).Sample((epochs, stepsPerEpoch, warm, final) =>
        {
            var recipe = Small.Recipe with { Epochs = epochs, WarmUpEpochs = warm * epochs * 0.9, FinalRate = final };
            var steps = epochs * stepsPerEpoch;
            var rates = Enumerable.Range(0, steps).Select(step => recipe.LearningRateAt(step, steps)).ToArray();
            Assert.All(rates, rate => Assert.InRange(rate, double.Epsilon, recipe.LearningRate));
            var warmUp = (int)Math.Round(recipe.WarmUpEpochs * steps / epochs);
            for (var step = 1; step < steps; step++)
                Assert.True(step <= warmUp ? rates[step] > rates[step - 1] : rates[step] <= rates[step - 1]);
            Assert.Equal(recipe.LearningRate, recipe.LearningRateAt(warmUp, steps), 1e-15);
            Assert.Equal(final * recipe.LearningRate, recipe.LearningRateAt(Math.Max(steps, warmUp + 1), steps), 1e-15);
        });
}
