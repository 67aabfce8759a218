#:project ../../lib/Vit.Interactive/Vit.Interactive.csproj
#:property PublishAot=false

using System.Globalization;
using Vit.Data;
using Vit.Interactive;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// Notebook 20's experiment: which way clothes move, told by attention over space and time, joint or divided, and what is
// left without positions in time, with shuffled frames and with a single frame.
//   dotnet run data/experiments/video.cs
// Writes video.csv beside it, a line for each training; what stands there already is not trained again. Each design has its
// own learning rate: the one that knows the validation films best with seed 1, from a row of rates that goes on until the
// best lies inside. With it the other seeds are trained. A seed draws the films, their order and the first weights. The
// models of seed 1 that the notebook looks into are kept in video-joint.safetensors and video-divided.safetensors. About
// five minutes on one quiet core.

const int Steps = 500, BatchSize = 32;
int[] seeds = [1, 2, 3];
double[] ladder = [5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2];

var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
var data = Path.Combine(here, "..", "fashion-mnist");
var file = Path.Combine(here, "video.csv");
List<string> lines = File.Exists(file) ? [.. File.ReadAllLines(file)] : ["design;rate;seed;validation_top1;test_top1"];

// Garments for validation and for the test are in no film of the training.
var (rest, aside) = FashionMnist.Load(Split.Train, data).RandomSplit(3_000, seed: 0);
var validation = MovingClothes.Films(aside, 1_200, seed: 1_001);
var test = MovingClothes.Films(FashionMnist.Load(Split.Test, data), 2_400, seed: 1_002);

var joint = new VideoTransformerConfig
{
    Frames = MovingClothes.Frames,
    ImageHeight = MovingClothes.Side,
    ImageWidth = MovingClothes.Side,
    Channels = 1,
    TubeletFrames = 2,
    PatchSize = 8,
    Layers = 2,
    Width = 32,
    MlpWidth = 64,
    Heads = 2,
    Classes = MovingClothes.ClassNames.Count,
};
var divided = joint with { Attention = VideoAttention.Divided };
var designs = new (string Name, VideoTransformerConfig Config, Func<ImageSet, int, ImageSet> Seen)[]
{
    ("joint", joint, (films, _) => films),
    ("divided", divided, (films, _) => films),
    ("joint, no times", joint with { TimePositions = false }, (films, _) => films),
    ("joint, frames shuffled", joint, (films, seed) => Picked(films, seed, MovingClothes.Frames)),
    ("one frame", joint with { Frames = 1, TubeletFrames = 1 }, (films, seed) => Picked(films, seed, 1)),
    ("divided, no times", divided with { TimePositions = false }, (films, _) => films),
};

ComputeDevice.TuneProcess();
foreach (var design in designs)
{
    var best = 3;
    var found = new Dictionary<int, double>();
    while (true)
    {
        foreach (var i in new[] { best, best - 1, best + 1 }.Where(i => i >= 0 && i < ladder.Length))
            found[i] = Run(design, ladder[i], seeds[0]);
        var better = found.MaxBy(it => it.Value).Key;
        if (better == best)
            break;
        best = better;
    }
    foreach (var seed in seeds)
        Run(design, ladder[best], seed, keep: seed == seeds[0] && design.Name is "joint" or "divided");
}

// The accuracy on the validation films.
double Run((string Name, VideoTransformerConfig Config, Func<ImageSet, int, ImageSet> Seen) design, double rate, int seed, bool keep = false)
{
    var run = string.Create(CultureInfo.InvariantCulture, $"{design.Name};{rate};{seed};");
    var weights = Path.Combine(here, $"video-{design.Name}.safetensors");
    var known = lines.Find(line => line.StartsWith(run, StringComparison.Ordinal))?.Split(';');
    if (known is not null && !(keep && !File.Exists(weights)))
        return double.Parse(known[3], CultureInfo.InvariantCulture);

    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    using var model = new VideoTransformer(design.Config);
    var recipe = new Recipe
    {
        Epochs = 1,
        BatchSize = BatchSize,
        LearningRate = rate,
        WarmUpEpochs = 0.1,
        Seed = seed,
        Device = "cpu",
    };
    var films = design.Seen(MovingClothes.Films(rest, Steps * BatchSize, seed), seed);
    // The Trainer looks at one film of validation after the epoch, which chooses nothing.
    using (var trainer = new Trainer(model, films, films.Select([0]), recipe))
        foreach (var _ in trainer.Run()) { }
    var chosenBy = Evaluation.Of(model, design.Seen(validation, 1_003)).Top1;
    var unseen = Evaluation.Of(model, design.Seen(test, 1_004)).Top1;
    if (keep)
        SafeTensors.Save(weights, model.state_dict());
    if (known is null)
    {
        lines.Add(run + string.Create(CultureInfo.InvariantCulture, $"{chosenBy:F4};{unseen:F4}"));
        File.WriteAllText($"{file}.new", string.Concat(lines.Select(line => $"{line}\n")));
        File.Move($"{file}.new", file, overwrite: true);
    }
    Console.WriteLine($"{DateTime.Now:T}  {run}{chosenBy:F4};{unseen:F4}");
    return chosenBy;
}

// So many of each film's frames, in an order drawn at random for each film.
static ImageSet Picked(ImageSet films, int seed, int frames)
{
    using var generator = new Generator((ulong)seed);
    var order = rand([films.Count, MovingClothes.Frames], generator: generator).argsort(1).narrow(1, 0, frames);
    var picked = films.Images.gather(1, order.unsqueeze(-1).unsqueeze(-1).expand(-1, -1, MovingClothes.Side, MovingClothes.Side));
    return new(picked, films.Labels, films.ClassNames);
}
