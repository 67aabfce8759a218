#:project ../../lib/Vit.Interactive/Vit.Interactive.csproj
#:property PublishAot=false

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

var log = new ExperimentLog("video.csv", "design;rate;seed;validation_top1;test_top1");

// Garments for validation and for the test are in no film of the training.
var (rest, aside) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).RandomSplit(3_000, seed: 0);
var validation = MovingClothes.Films(aside, 1_200, seed: 1_001);
var test = MovingClothes.Films(FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist), 2_400, seed: 1_002);

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
    var best = ExperimentLog.Sweep(design.Name, 4e-3, seeds, Run);
    var weights = Path.Combine(ExperimentLog.Folder, $"video-{design.Name}.safetensors");
    if (design.Name is "joint" or "divided" && !File.Exists(weights))
        Train(design, best, seeds[0], weights);

    double[] Run(double rate, int seed) => log.Results($"{design.Name};{rate};{seed}", () => Train(design, rate, seed));
}

// The accuracy on validation and test films.
double[] Train((string Name, VideoTransformerConfig Config, Func<ImageSet, int, ImageSet> Seen) design, double rate, int seed, string? weights = null)
{
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
    // The Trainer wants a film to look at after the epoch; this one chooses nothing.
    using (var trainer = new Trainer(model, films, films.Select([0]), recipe))
        foreach (var _ in trainer.Run()) { }
    if (weights is not null)
        SafeTensors.Save(weights, model.state_dict());
    return [Evaluation.Of(model, design.Seen(validation, 1_003)).Top1, Evaluation.Of(model, design.Seen(test, 1_004)).Top1];
}

// So many of each film's frames, in an order drawn at random for each film.
static ImageSet Picked(ImageSet films, int seed, int frames)
{
    using var generator = new Generator((ulong)seed);
    var order = rand([films.Count, MovingClothes.Frames], generator: generator).argsort(1).narrow(1, 0, frames);
    var picked = films.Images.gather(1, order.unsqueeze(-1).unsqueeze(-1).expand(-1, -1, MovingClothes.Side, MovingClothes.Side));
    return new(picked, films.Labels, films.ClassNames);
}
