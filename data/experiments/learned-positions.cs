#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using System.Globalization;
using Vit.Data;
using Vit.Inspection;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

// What learned positions find when they start as noise: a small ViT on 20,000 images of clothes, two seeds. Notebook 04
// draws the result; the checkpoints of this repository do not show it, since their positions started as 2-D sines.
//   dotnet run data/experiments/learned-positions.cs
// Writes learned-positions.csv beside it: for each seed and each of the 49 patches the cosine of its position with every
// other, the mean of all positions subtracted. A seed that stands there already is not trained again.

const int Epochs = 10;
var config = new VisionTransformerConfig
{
    ImageHeight = 28,
    ImageWidth = 28,
    Channels = 1,
    PatchSize = 4,
    Layers = 2,
    Width = 64,
    MlpWidth = 128,
    Heads = 4,
    Classes = 10,
};

var file = Path.Combine(ExperimentLog.Folder, "learned-positions.csv");
List<string> lines = File.Exists(file)
    ? [.. File.ReadAllLines(file)]
    : [$"seed;test_top1;patch;{string.Join(';', Enumerable.Range(0, 49).Select(i => $"to_{i}"))}"];

var (train, rest) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).RandomSplit(40_000, seed: 0);
var (_, glance) = rest.RandomSplit(1_000, seed: 0);    // the Trainer looks at these after each epoch; nothing is chosen by them
var test = FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist);

ComputeDevice.TuneProcess();
foreach (var seed in new[] { 1, 2 }.Where(seed => !lines.Any(line => line.StartsWith($"{seed};", StringComparison.Ordinal))))
{
    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    using var model = new VisionTransformer(config);
    var recipe = new Recipe { Epochs = Epochs, BatchSize = 64, LearningRate = 2e-3, WarmUpEpochs = 0.5, Seed = seed, Device = "cpu" };
    using var trainer = new Trainer(model, train, glance, recipe);
    foreach (var _ in trainer.Run()) { }
    var top1 = Evaluation.Of(model, test).Top1;

    var table = model.pos_embed!.detach()[0, 1..];                                            // [N, D]
    var cosines = Vectors.CosineSimilarity(table - table.mean([0])).data<float>().ToArray().Chunk(49);
    foreach (var (patch, row) in cosines.Index())
        lines.Add(string.Create(CultureInfo.InvariantCulture,
            $"{seed};{top1:F4};{patch};{string.Join(';', row.Select(c => c.ToString("F2", CultureInfo.InvariantCulture)))}"));
    File.WriteAllText($"{file}.new", string.Concat(lines.Select(line => $"{line}\n")));
    File.Move($"{file}.new", file, overwrite: true);
    Console.WriteLine($"{DateTime.Now:T}  seed {seed}: {100 * top1:F2} %");
}
