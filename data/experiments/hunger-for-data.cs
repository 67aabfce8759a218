#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

// The long form of notebook 14's experiment: its two models, 1,000 to 60,000 images, and 3,750 steps whatever their number.
//   dotnet run data/experiments/hunger-for-data.cs
// Writes hunger-for-data.csv beside it, a line for each training; what stands there already is not trained again.

const int Seen = 240_000, BatchSize = 64;    // 240 epochs of 1,000 images, 4 of 60,000
int[] sizes = [1_000, 4_000, 15_000, 60_000];

var vit = new VisionTransformerConfig
{
    ImageHeight = 28,
    ImageWidth = 28,
    Channels = 1,
    PatchSize = 7,
    Layers = 4,
    Width = 48,
    MlpWidth = 96,
    Heads = 4,
    Classes = 10,
};
var models = new (string Name, Func<nn.Module<Tensor, Tensor>> New)[]
{
    ("ViT", () => new VisionTransformer(vit)),
    ("ConvNet", () => nn.Sequential(("squares", nn.PixelUnshuffle(2)), ("net", new ConvNet(new ConvNetConfig { Channels = 4, Widths = [16, 32, 64] })))),
};
// Augmented with two seeds only; each training takes about three minutes on one core.
var augmentations = new (string Name, Augmentation? Augmentation, int[] Seeds)[]
{
    ("none", null, [1, 2, 3]),
    ("shifted and mirrored", new() { CropPadding = 2, HorizontalFlip = true }, [1, 2]),
};

var log = new ExperimentLog("hunger-for-data.csv", "model;augmentation;images;seed;test_top1");
var all = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist);
var test = FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist);
var (_, glance) = all.RandomSplit(10, seed: 0);    // the Trainer looks at these after each epoch; nothing is chosen by them

ComputeDevice.TuneProcess();
var runs =
    from augmentation in augmentations
    from seed in augmentation.Seeds
    from images in sizes
    from model in models
    select (model, augmentation, seed, images);
foreach (var (kind, augmentation, seed, images) in runs)
    log.Results($"{kind.Name};{augmentation.Name};{images};{seed}", () => [Top1(kind.New, augmentation.Augmentation, seed, images)]);

double Top1(Func<nn.Module<Tensor, Tensor>> create, Augmentation? augmentation, int seed, int images)
{
    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    var recipe = new Recipe
    {
        Epochs = Seen / images,
        BatchSize = BatchSize,
        LearningRate = 2e-3,
        WarmUpEpochs = 0.1 * Seen / images,
        Augmentation = augmentation,
        Seed = seed,
        Device = "cpu",
    };
    using var model = create();
    using var trainer = new Trainer(model, images == all.Count ? all : all.RandomSplit(images, seed).Aside, glance, recipe);
    foreach (var _ in trainer.Run()) { }
    return Evaluation.Of(model, test).Top1;
}
