#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using TorchSharp;
using Vit.Data;
using Vit.Layers;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// Trains the Vision Transformer of fashion-mnist-vit again, as the recipes beside it say:
//   dotnet run data/checkpoints/train-fashion-mnist.cs -- --seed 1 --output FOLDER
// 1. From scratch. Until the last epochs the encoder sees half of the patches of each image, which takes less than half
//    of the time.
// 2. On mixed images, from the weights of 1.
// convnet. A ConvNet, from scratch, to be a teacher.
// 3. On mixed images, from the weights of 2. The targets are what the ConvNet and the model of 2 make of the same images,
//    the mean of their probabilities.
// Stopped or killed, it goes on where it was when it is called again. Other options: --data FOLDER, and --precision BFloat16
// or Float32 for all stages, where a processor is faster in one of them.

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
var shipped = Path.Combine(here, "fashion-mnist-vit");
Recipe Read(string stage)
{
    var recipe = Recipe.FromJson(File.ReadAllText(Path.Combine(shipped, $"recipe-{stage}.json")));
    return recipe with
    {
        Seed = Option("--seed") is string seed ? long.Parse(seed) : recipe.Seed,
        Precision = Option("--precision") is string precision ? Enum.Parse<Precision>(precision, ignoreCase: true) : recipe.Precision,
    };
}
var first = Read("1");
var folder = Path.GetFullPath(Option("--output") ?? $"fashion-mnist-seed-{first.Seed}");
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
var convNetConfig = new ConvNetConfig { Channels = 1, Widths = [32, 64, 128], Classes = 10 };

var data = Option("--data") ?? Path.Combine(here, "..", "fashion-mnist");
var all = FashionMnist.Load(Split.Train, data);
var (training, validation) = all.RandomSplit(first.ValidationCount, seed: 0);
ComputeDevice.TuneProcess();
random.manual_seed(first.Seed);
using var model = new VisionTransformer(config);
// The positions are learned, from a start at which neighbours are alike.
using (no_grad())
    model.pos_embed!.slice(1, config.ExtraTokens, config.Tokens, 1).copy_(PositionEmbedding.SinCos2D(config.GridRows, config.GridColumns, config.Width));
random.manual_seed(first.Seed);
using var convNet = new ConvNet(convNetConfig);
Console.WriteLine($"{model.parameters().Sum(p => p.numel()):N0} parameters, {training.Count:N0} images to train on, {validation.Count:N0} to validate with, into {folder}");

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};

// A stage ends with the weights that knew the validation images best. PatchDropout: for so many epochs, the share.
bool Train(string stage, nn.Module<Tensor, Tensor> model, Func<nn.Module<Tensor, Tensor>> copy, (int Epochs, double Share) dropout, TrainingLoss loss)
{
    var recipe = Read(stage);
    Trainer? running = null;
    using var trainer = running = new Trainer(model, training, validation, recipe, copy)
    {
        Checkpoints = new CheckpointFolder(Path.Combine(folder, stage)),
        CheckpointSteps = 100,
        Progress = new ProgressBar(),
        Loss = (model, images, targets) =>
        {
            if (model is VisionTransformer transformer)
                transformer.PatchDropout = running!.History.Count < dropout.Epochs ? dropout.Share : 0;
            return loss(model, images, targets);
        },
    };
    Console.WriteLine($"stage {stage}: {recipe.Epochs} epochs");
    try
    {
        foreach (var epoch in trainer.Run(stop.Token))
            Console.WriteLine(epoch);
    }
    catch (OperationCanceledException)
    {
        Console.WriteLine($"stopped after step {trainer.Step}; the same command goes on from there");
        return false;
    }
    TrainingCheckpoint.Open(trainer.Checkpoints.Best!).LoadWeights(model);
    return true;
}

if (!Train("1", model, () => new VisionTransformer(config), (38, 0.5), Trainer.CrossEntropy)
    || !Train("2", model, () => new VisionTransformer(config), (18, 0.25), Trainer.CrossEntropy)
    || !Train("convnet", convNet, () => new ConvNet(convNetConfig), default, Trainer.CrossEntropy))
    return;

using var before = new VisionTransformer(config);
before.load_state_dict(model.state_dict());
before.eval();
convNet.eval();
// The teachers compute as the model does.
var precision = Read("3").Precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
before.to(precision);
convNet.to(precision);
(Tensor, Tensor) AsTheTeachers(nn.Module<Tensor, Tensor> model, Tensor images, Tensor targets)
{
    using (no_grad())
    {
        targets = (convNet.forward(images).to(float32).softmax(1) + before.forward(images).to(float32).softmax(1)) / 2;
    }
    return Trainer.CrossEntropy(model, images, targets);
}
if (!Train("3", model, () => new VisionTransformer(config), (10, 0.25), AsTheTeachers))
    return;

var results = Path.Combine(folder, "model");
Pretrained.SaveAsTimm(model, results, training.ClassNames, training.Preprocessing);
foreach (var stage in new[] { "1", "2", "convnet", "3" })
{
    File.WriteAllText(Path.Combine(results, $"recipe-{stage}.json"), Read(stage).ToJson() + "\n");
    File.Copy(Path.Combine(folder, stage, "log.csv"), Path.Combine(results, $"log-{stage}.csv"), overwrite: true);
}

// The only look at the test images.
var test = Evaluation.Of(model, FashionMnist.Load(Split.Test, data));
Console.WriteLine($"{100 * test.Top1:F2} % of {test.Count:N0} test images, top-5 {100 * test.Top5:F2} %, loss {test.Loss:F4}");
foreach (var (name, accuracy) in FashionMnist.ClassNames.Zip(test.Confusion.AccuracyByClass))
    Console.WriteLine($"{name,-12} {100 * accuracy:F1} %");
