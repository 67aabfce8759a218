#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using Vit.Data;
using Vit.Layers;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// Trains the Vision Transformer of fashion-mnist-vit again, as its recipe.json says:
//   dotnet run data/checkpoints/train-fashion-mnist.cs -- --seed 1 --output FOLDER
// Until the last epochs the encoder sees half of the patches of each image, which takes less than half of the time.
// Stopped or killed, it goes on where it was when it is called again. Other options: --recipe FILE, --data FOLDER.

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

var recipe = Recipe.FromJson(File.ReadAllText(Option("--recipe") ?? DataFolder.PathTo("checkpoints", "fashion-mnist-vit", "recipe.json")));
if (Option("--seed") is string number)
    recipe = recipe with { Seed = long.Parse(number) };
var folder = Path.GetFullPath(Option("--output") ?? $"fashion-mnist-seed-{recipe.Seed}");
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
const double PatchDropout = 0.5;
const int WholeEpochs = 14;

var all = FashionMnist.Load(Split.Train, Option("--data"));
var (training, validation) = all.SetAside(recipe.ValidationCount, seed: 0);
random.manual_seed(recipe.Seed);
using var model = new VisionTransformer(config);
// The positions are learned, from a start at which neighbours are alike.
using (no_grad())
    model.pos_embed!.table.slice(1, config.ExtraTokens, config.Tokens, 1).copy_(PositionEmbedding.SinCos2D(config.GridRows, config.GridColumns, config.Width));
Console.WriteLine($"{model.parameters().Sum(p => p.numel()):N0} parameters, {training.Count:N0} images to train on, {validation.Count:N0} to validate with, into {folder}");

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};
Trainer? running = null;
using var trainer = running = new Trainer(model, training, validation, recipe, () => new VisionTransformer(config))
{
    Checkpoints = new CheckpointFolder(folder),
    CheckpointSteps = 100,
    Progress = new ProgressBar(),
    Loss = (model, images, targets) =>
    {
        ((VisionTransformer)model).PatchDropout = running!.History.Count < recipe.Epochs - WholeEpochs ? PatchDropout : 0;
        return Trainer.CrossEntropy(model, images, targets);
    },
};
try
{
    foreach (var epoch in trainer.Run(stop.Token))
        Console.WriteLine(epoch);
}
catch (OperationCanceledException)
{
    Console.WriteLine($"stopped after step {trainer.Step}; the same command goes on from there");
    return;
}

// What is kept is the epoch that knew the validation images best.
TrainingCheckpoint.Open(trainer.Checkpoints.Best!).LoadWeights(model);
var results = Path.Combine(folder, "model");
var preprocessing = new Preprocessing { Height = 28, Width = 28, Channels = 1, Normalization = FashionMnist.Normalization };
Pretrained.SaveAsTimm(model, results, FashionMnist.ClassNames, preprocessing);
File.WriteAllText(Path.Combine(results, "recipe.json"), recipe.ToJson() + "\n");
File.Copy(Path.Combine(folder, "log.csv"), Path.Combine(results, "log.csv"), overwrite: true);

// The only look at the test images.
var test = Evaluation.Of(model, FashionMnist.Load(Split.Test, Option("--data")), recipe.Normalization);
Console.WriteLine($"{100 * test.Top1:F2} % of {test.Count:N0} test images, top-5 {100 * test.Top5:F2} %, loss {test.Loss:F4}");
foreach (var (name, accuracy) in FashionMnist.ClassNames.Zip(test.Confusion.AccuracyByClass))
    Console.WriteLine($"{name,-12} {100 * accuracy:F1} %");
