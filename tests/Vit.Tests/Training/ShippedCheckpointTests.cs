using System.Globalization;
using System.Text.RegularExpressions;
using Vit.Data;
using Vit.Interactive;
using Vit.Models;
using Vit.Training;
using Vit.Weights;

namespace Vit.Tests.Training;

/// <summary>What the cards of data/checkpoints say, measured.</summary>
public class ShippedCheckpointTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("fashion-mnist-vit")]
    [InlineData("fashion-mnist-seven")]
    public void It_recognises_as_many_test_images_as_its_card_says(string name)
    {
        using var pretrained = Pretrained.Load<VisionTransformer>(Folder(name));
        var names = Assert.IsAssignableFrom<IReadOnlyList<string>>(pretrained.ClassNames);
        Assert.Equal(FashionMnist.ClassNames.Except(Left(name)), names);
        Assert.Equal(FashionMnist.Normalization, pretrained.Preprocessing.Normalization);
        var parameters = pretrained.Model.parameters().Sum(parameter => parameter.numel());
        Assert.InRange(parameters, 1, 500_000);
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)} parameters", Card(name));

        var images = FashionMnist.Load(Split.Test, DataFolder.PathTo("fashion-mnist")).OfClasses([.. names]);
        var test = Evaluation.Of(pretrained.Model, images, cancellation: Stop);
        // Another processor rounds otherwise, and may see one image in a thousand differently.
        Assert.Equal(Percent(name, $@"\*\*([0-9.]+) % of the {images.Count.ToString("N0", CultureInfo.InvariantCulture)} test images\*\*"), 100 * test.Top1, 0.1);
        foreach (var (className, accuracy) in names.Zip(test.Confusion.AccuracyByClass))
            Assert.Equal(Percent(name, $@"\| {Regex.Escape(className)} \| ([0-9.]+) \|"), 100 * accuracy, 0.5);
    }

    [Fact]
    public void The_model_for_photographs_is_small_and_says_of_each_what_its_card_says()
    {
        const string name = "cifar-10-vit";
        using var pretrained = Pretrained.Load<VisionTransformer>(Folder(name));
        Assert.Equal(Cifar10.ClassNames, pretrained.ClassNames);
        var parameters = pretrained.Model.parameters().Sum(parameter => parameter.numel());
        Assert.InRange(parameters, 1, 1_500_000);
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)} parameters", Card(name));
        Assert.InRange(new FileInfo(Path.Combine(Folder(name), "model.safetensors")).Length, 1, 3_000_000);

        var photos = Directory.GetFiles(DataFolder.PathTo("photos")).Where(path => Path.GetExtension(path) is ".png" or ".jpg").ToList();
        foreach (var path in photos)
        {
            var (said, probability) = pretrained.Classify(path)[0];
            Assert.Equal(Percent(name, $@"\| {Regex.Escape(Path.GetFileName(path))} \| {Regex.Escape(said)} ([0-9]+) % \|"), 100 * probability, tolerance: 2.0);
            if (Path.GetFileName(path) == "cat.png")
                Assert.Equal("cat", said);
        }
    }

    // The probabilities of the same files decoded by PIL 9.4, which has libjpeg.
    [Theory]
    [InlineData("rocket.jpg", "ship", 0.5351)]
    [InlineData("retina.jpg", "airplane", 0.2863)]
    public void Another_decoder_of_JPEG_moves_a_probability_by_less_than_a_hundredth(string name, string className, double expected)
    {
        using var pretrained = Pretrained.Load<VisionTransformer>(Folder("cifar-10-vit"));
        var (said, probability) = pretrained.Classify(DataFolder.PathTo("photos", name))[0];
        Assert.Equal(className, said);
        Assert.InRange(probability, expected - 0.01, expected + 0.01);
    }

    [Theory]
    [InlineData("fashion-mnist-vit", "1")]
    [InlineData("fashion-mnist-vit", "teacher")]
    [InlineData("fashion-mnist-vit", "2")]
    [InlineData("fashion-mnist-vit", "3")]
    [InlineData("fashion-mnist-vit", "4")]
    [InlineData("fashion-mnist-seven", "1")]
    [InlineData("cifar-10-vit", "1")]
    [InlineData("cifar-10-vit", "convnet")]
    [InlineData("cifar-10-vit", "2")]
    [InlineData("cifar-10-vit", "teacher")]
    [InlineData("cifar-10-vit", "3")]
    public void The_recipe_and_the_log_of_a_stage_belong_together(string name, string stage)
    {
        var recipe = Recipe.FromJson(File.ReadAllText(Path.Combine(Folder(name), $"recipe-{stage}.json")));
        var log = File.ReadLines(Path.Combine(Folder(name), $"log-{stage}.csv")).ToList();
        Assert.Equal(recipe.Epochs, log.Count - 1);
        var row = $@"\| {stage} \|.*\| {recipe.Epochs} \| ";
        var best = log.Skip(1).Max(line => double.Parse(line.Split(',')[5], CultureInfo.InvariantCulture));
        Assert.Equal(Percent(name, row + @"([0-9.]+) % \|"), 100 * best, 0.005);
    }

    static string Folder(string name) => DataFolder.PathTo("checkpoints", name);

    static string Card(string name) => File.ReadAllText(Path.Combine(Folder(name), "README.md"));

    /// <summary>The classes that a model was not trained on.</summary>
    static string[] Left(string name) => name == "fashion-mnist-seven" ? ["Pullover", "Coat", "Shirt"] : [];

    static double Percent(string name, string pattern) => double.Parse(Regex.Match(Card(name), pattern) is { Success: true } match
        ? match.Groups[1].Value
        : throw new InvalidDataException($"The card has nothing like {pattern}."), CultureInfo.InvariantCulture);
}
