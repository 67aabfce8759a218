#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using TorchSharp;
using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

// The long form of notebook 14's experiment, with its two models and a simple rival, a linear layer on the pixels: how much
// they know after 200, 800 or 3,200 steps on 800, 6,400 or 51,200 images, with three seeds. Each model has a learning rate
// of its own for 200 steps and one for 800, chosen on 2,000 validation images, with 6,400 images and seed 1; 3,200 steps take
// that of 800.
//   dotnet run data/experiments/hunger-for-data.cs
// Writes hunger-for-data.csv beside it, a line for each training; what stands there already is not trained again. About an hour
// on one core.

const int BatchSize = 32, Middle = 6_400;
int[] steps = [200, 800, 3_200], sizes = [Middle, 51_200, 800], seeds = [1, 2, 3];

var vit = new VisionTransformerConfig
{
    ImageHeight = 28,
    ImageWidth = 28,
    Channels = 1,
    PatchSize = 4,
    Layers = 4,
    Width = 48,
    MlpWidth = 144,
    Heads = 4,
    Classes = 10,
};
var models = new (string Name, Func<nn.Module<Tensor, Tensor>> New, double Rate)[]
{
    ("ViT", () => new VisionTransformer(vit), 0.004),
    ("ConvNet", () => new ConvNet(new ConvNetConfig { Channels = 1, Widths = [16, 16, 32] }), 0.016),
    ("linear", () => nn.Sequential(("flatten", nn.Flatten()), ("head", nn.Linear(28 * 28, 10))), 0.004),
};

var log = new ExperimentLog("hunger-for-data.csv", "model;steps;images;rate;seed;validation_top1;test_top1");
var (rest, validation) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).RandomSplit(2_000, seed: 0);
var test = FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist);

ComputeDevice.TuneProcess();
var rates = new Dictionary<(string Model, int Steps), double>();
foreach (var (name, create, first) in models)
{
    var best = first;
    foreach (var count in steps)
    {
        if (count < steps[^1])
            best = ExperimentLog.BestRate(best, rate => Run(Middle, rate, seed: 1)[0]);
        rates[(name, count)] = best;
        foreach (var seed in seeds)
            foreach (var images in sizes.Where(images => images <= count * BatchSize))
                Run(images, best, seed);

        double[] Run(int images, double rate, int seed) =>
            log.Results($"{name};{count};{images};{rate};{seed}", () => Top1(create, count, images, rate, seed, (rest, validation, test)));
    }
}

// The control: one permutation of the pixels for all images takes every pixel's neighbours away.
random.manual_seed(0);
var permutation = randperm(28 * 28);
var permuted = (Permuted(rest), Permuted(validation), Permuted(test));
foreach (var (count, images) in new[] { (200, Middle), (800, Middle), (3_200, 51_200) })
    foreach (var (name, create, _) in models)
        foreach (var seed in seeds)
            log.Results($"{name}, permuted;{count};{images};{rates[(name, count)]};{seed}", () =>
                Top1(create, count, images, rates[(name, count)], seed, permuted));

ImageSet Permuted(ImageSet set) =>
    new(set.Images.flatten(1).index_select(1, permutation).reshape(-1, 1, 28, 28), set.Labels, set.ClassNames, set.Preprocessing.Normalization);

double[] Top1(Func<nn.Module<Tensor, Tensor>> create, int count, int images, double rate, int seed, (ImageSet Train, ImageSet Validation, ImageSet Test) sets)
{
    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    var some = sets.Train.RandomSplit(images, seed).Aside;
    var epochs = count * BatchSize / images;
    var recipe = new Recipe
    {
        Epochs = epochs,
        BatchSize = BatchSize,
        LearningRate = rate,
        WarmUpEpochs = 0.1 * epochs,
        Seed = seed,
        Device = "cpu",
    };
    using var model = create();
    // The Trainer looks at one image after each epoch, which chooses nothing.
    using var trainer = new Trainer(model, some, sets.Validation.Select([0]), recipe);
    foreach (var _ in trainer.Run()) { }
    return [Evaluation.Of(model, sets.Validation).Top1, Evaluation.Of(model, sets.Test).Top1];
}
