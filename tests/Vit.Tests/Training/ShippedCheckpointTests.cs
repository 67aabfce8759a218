using System.Globalization;
using System.Text.RegularExpressions;
using Vit.Data;
using Vit.Interactive;
using Vit.Models;
using Vit.Training;
using Vit.Weights;

namespace Vit.Tests.Training;

/// <summary>What the card of data/checkpoints/fashion-mnist-vit says, measured.</summary>
public class ShippedCheckpointTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static readonly string Folder = DataFolder.PathTo("checkpoints", "fashion-mnist-vit");
    static readonly string Card = File.ReadAllText(Path.Combine(Folder, "README.md"));

    [Fact]
    public void It_recognises_as_many_test_images_as_its_card_says()
    {
        using var pretrained = Pretrained.Load<VisionTransformer>(Folder);
        Assert.Equal(FashionMnist.ClassNames, pretrained.ClassNames);
        Assert.Equal(FashionMnist.Normalization, pretrained.Preprocessing.Normalization);
        var parameters = pretrained.Model.parameters().Sum(parameter => parameter.numel());
        Assert.InRange(parameters, 1, 500_000);
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)} parameters", Card);

        var test = Evaluation.Of(pretrained.Model, FashionMnist.Load(Split.Test, DataFolder.PathTo("fashion-mnist")), cancellation: Stop);
        // Another processor rounds otherwise, and may see one image in a thousand differently.
        Assert.Equal(Percent(@"\*\*([0-9.]+) % of the 10,000 test images\*\*"), 100 * test.Top1, 0.1);
        foreach (var (name, accuracy) in FashionMnist.ClassNames.Zip(test.Confusion.AccuracyByClass))
            Assert.Equal(Percent($@"\| {Regex.Escape(name)} \| ([0-9.]+) \|"), 100 * accuracy, 0.5);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("convnet")]
    [InlineData("3")]
    public void The_recipe_and_the_log_of_a_stage_belong_together(string stage)
    {
        var recipe = Recipe.FromJson(File.ReadAllText(Path.Combine(Folder, $"recipe-{stage}.json")));
        var log = File.ReadLines(Path.Combine(Folder, $"log-{stage}.csv")).ToList();
        Assert.Equal(recipe.Epochs, log.Count - 1);
        var row = $@"\| {stage} \|.*\| {recipe.Epochs} \| ";
        var best = log.Skip(1).Max(line => double.Parse(line.Split(',')[5], CultureInfo.InvariantCulture));
        Assert.Equal(Percent(row + @"([0-9.]+) % \|"), 100 * best, 0.005);
    }

    static double Percent(string pattern) => double.Parse(Regex.Match(Card, pattern) is { Success: true } match
        ? match.Groups[1].Value
        : throw new InvalidDataException($"The card has nothing like {pattern}."), CultureInfo.InvariantCulture);
}
