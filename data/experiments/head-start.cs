#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using System.Globalization;
using TorchSharp;
using Vit.Data;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// What pre-training on seven classes is worth for learning the three others, by the number of images to learn them from.
//   dotnet run data/experiments/head-start.cs
// Writes head-start.csv beside it, a line for each training; what stands there already is not trained again. Each way of
// learning has its own learning rate for each number of images: the one that knows the validation images best, with seed 1.
// With it the other seeds are trained.

const int BatchSize = 32, ValidationCount = 600;
int[] sizes = [10, 30, 100, 300, 1_000];
int[] seeds = [1, 2, 3];
string[] classes = ["Pullover", "Coat", "Shirt"];

var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
var data = Path.Combine(here, "..", "fashion-mnist");
var checkpoint = Path.Combine(here, "..", "checkpoints", "fashion-mnist-seven");
var file = Path.Combine(here, "head-start.csv");
List<string> lines = File.Exists(file) ? [.. File.ReadAllLines(file)] : ["way;images;rate;seed;validation_top1;test_top1"];

var (rest, validation) = FashionMnist.Load(Split.Train, data).OfClasses(classes).RandomSplit(ValidationCount, seed: 0);
var test = FashionMnist.Load(Split.Test, data).OfClasses(classes);
using var pretrained = Pretrained.Load<VisionTransformer>(checkpoint);
var config = pretrained.Model.Config with { Classes = classes.Length };

var pixels = new Sets(rest, validation, test);
var features = new Sets(Features(rest), Features(validation), Features(test));
double[] whole = [3e-4, 1e-3, 3e-3], linear = [1e-3, 1e-2, 1e-1];
var ways = new (string Name, Sets Sets, double[] Rates, Func<nn.Module<Tensor, Tensor>> New)[]
{
    ("from scratch", pixels, whole, () => new VisionTransformer(config)),
    ("linear, on pixels", pixels, linear, () => Linear(28 * 28)),
    ("linear, on frozen features", features, linear, () => Linear(config.Width)),
    ("fine-tuned", pixels, whole, () => Pretrained.Load<VisionTransformer>(checkpoint, new() { Classes = classes.Length }).Model),
};

var results = new Dictionary<(string Way, int Images), double[]>();
foreach (var images in sizes)
    foreach (var way in ways)
    {
        var rate = way.Rates.MaxBy(rate => Run(way, images, rate, seeds[0]).Validation);
        results[(way.Name, images)] = [.. seeds.Select(seed => 100 * Run(way, images, rate, seed).Test)];
    }

Console.WriteLine("| images | " + string.Join(" | ", ways.Select(way => way.Name)) + " |");
Console.WriteLine("| --- |" + string.Concat(ways.Select(_ => " --- |")));
foreach (var images in sizes)
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {images} | ") + string.Join(" | ", ways.Select(way =>
    {
        var found = results[(way.Name, images)];
        var mean = found.Average();
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F1} ± {Math.Sqrt(found.Sum(it => (it - mean) * (it - mean)) / (found.Length - 1)):F1}");
    })) + " |");

// A training's accuracy.
(double Validation, double Test) Run((string Name, Sets Sets, double[] Rates, Func<nn.Module<Tensor, Tensor>> New) way, int images, double rate, int seed)
{
    var run = string.Create(CultureInfo.InvariantCulture, $"{way.Name};{images};{rate};{seed};");
    if (lines.Find(line => line.StartsWith(run, StringComparison.Ordinal))?.Split(';') is { } known)
        return (double.Parse(known[4], CultureInfo.InvariantCulture), double.Parse(known[5], CultureInfo.InvariantCulture));

    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    var (sets, steps) = (way.Sets, images < 300 ? 200 : 400);
    var batch = Math.Min(BatchSize, images);
    var epochs = (int)Math.Ceiling(steps / Math.Ceiling(images / (double)batch));
    var recipe = new Recipe
    {
        Epochs = epochs,
        BatchSize = batch,
        LearningRate = rate,
        WarmUpEpochs = 0.1 * epochs,
        Augmentation = sets == pixels ? new() { HorizontalFlip = true } : null,
        Seed = seed,
        Device = "cpu",
    };
    using var model = way.New();
    // The Trainer looks at one image of validation after each epoch, which chooses nothing.
    using (var trainer = new Trainer(model, sets.Rest.RandomSplit(images, seed).Aside, sets.Validation.Select([0]), recipe))
        foreach (var _ in trainer.Run()) { }
    var (chosenBy, unseen) = (Evaluation.Of(model, sets.Validation).Top1, Evaluation.Of(model, sets.Test).Top1);
    lines.Add(run + string.Create(CultureInfo.InvariantCulture, $"{chosenBy:F4};{unseen:F4}"));
    File.WriteAllText($"{file}.new", string.Concat(lines.Select(line => $"{line}\n")));
    File.Move($"{file}.new", file, overwrite: true);
    Console.WriteLine($"{DateTime.Now:T}  {lines[^1]}");
    return (chosenBy, unseen);
}

nn.Module<Tensor, Tensor> Linear(int inputs) => nn.Sequential(("flat", nn.Flatten()), ("head", nn.Linear(inputs, classes.Length)));

// What the head of the pre-trained model reads, as images of one pixel.
ImageSet Features(ImageSet set)
{
    using var scope = NewDisposeScope();
    using var noGradients = no_grad();
    pretrained.Model.eval();
    var parts = set.Batches(250).Select(batch => pretrained.Model.ForwardHead(
        pretrained.Model.ForwardFeatures(FashionMnist.Normalization.Apply(batch.Images)), preLogits: true)).ToList();
    return new(cat(parts).reshape(set.Count, config.Width, 1, 1).MoveToOuterDisposeScope(), set.Labels, set.ClassNames);
}

record Sets(ImageSet Rest, ImageSet Validation, ImageSet Test);
