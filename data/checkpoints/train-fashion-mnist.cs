#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using Vit.Data;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

var seed = long.Parse(Option("--seed") ?? "1");
var epochs = int.Parse(Option("--epochs") ?? "12");
var folder = Path.GetFullPath(Option("--output") ?? $"fashion-mnist-seed-{seed}");

var recipe = new Recipe
{
    Epochs = epochs,
    BatchSize = 64,
    LearningRate = 1.5e-3,
    WarmUpEpochs = 1,
    WeightDecay = 0.05,
    LabelSmoothing = 0.1,
    AverageDecay = 0.999,
    Augmentation = new() { CropPadding = 2, Flip = true },
    Normalization = FashionMnist.Normalization,
    ValidationCount = 5_000,
    Seed = seed,
    Precision = Precision.BFloat16,
    Device = "cpu",
};
var config = new VisionTransformerConfig
{
    ImageHeight = 28,
    ImageWidth = 28,
    Channels = 1,
    PatchSize = 4,
    Layers = 6,
    Width = 96,
    MlpWidth = 192,
    Heads = 4,
    Classes = 10,
};

var all = FashionMnist.Load(Split.Train, Option("--data"));
var (training, validation) = all.SetAside(recipe.ValidationCount, seed: 0);
random.manual_seed(seed);
var model = new VisionTransformer(config);
Console.WriteLine($"{model.parameters().Sum(p => p.numel()):N0} parameters, {training.Count:N0} images to train on, {validation.Count:N0} to validate with, into {folder}");

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) => { key.Cancel = true; stop.Cancel(); };
using var trainer = new Trainer(model, training, validation, recipe, () => new VisionTransformer(config with { FusedAttention = false }))
{
    Checkpoints = new CheckpointFolder(folder),
    CheckpointSteps = 100,
    Progress = new ProgressBar(),
};
foreach (var epoch in trainer.Run(stop.Token))
    Console.WriteLine(epoch);

using (trainer.Averaged())
{
    var preprocessing = new Preprocessing { Height = 28, Width = 28, Channels = 1, Normalization = FashionMnist.Normalization };
    Pretrained.SaveAsTimm(model, Path.Combine(folder, "model"), FashionMnist.ClassNames, preprocessing);
    File.WriteAllText(Path.Combine(folder, "model", "recipe.json"), recipe.ToJson() + "\n");
    File.Copy(Path.Combine(folder, "log.csv"), Path.Combine(folder, "model", "log.csv"), overwrite: true);
    // The only look at the test images.
    var test = Evaluation.Of(model, FashionMnist.Load(Split.Test, Option("--data")), recipe.Normalization);
    Console.WriteLine($"{100 * test.Top1:F2} % of {test.Count:N0} test images, top-5 {100 * test.Top5:F2} %, loss {test.Loss:F4}");
    foreach (var (name, accuracy) in FashionMnist.ClassNames.Zip(test.Confusion.AccuracyByClass))
        Console.WriteLine($"{name,-12} {100 * accuracy:F1} %");
}
