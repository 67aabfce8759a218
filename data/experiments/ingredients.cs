#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

// What the ingredients of a recipe bring in a short training and in a long one, and how far a linear layer on pixels comes:
// notebook 09's experiments.
//   dotnet run data/experiments/ingredients.cs
// Writes ingredients.csv beside it, a line for each training; what stands there already is not trained again. Each recipe has
// its own learning rate: with seed 11, the one that knows the validation images best, from a row of rates that goes on by
// factors of two until the best lies inside. With it seeds 1 to 3 are trained, and look at the test images. A seed draws the
// training images, their order and the first weights, so that recipes are compared in pairs. A quiet core takes a quarter of an hour.

const int ValidationCount = 2_000, Few = 1_000, Many = 20_000;
const double Decay = 0.998;    // of the average
var config = new VisionTransformerConfig
{
    ImageHeight = 28,
    ImageWidth = 28,
    Channels = 1,
    PatchSize = 7,
    Layers = 4,
    Width = 64,
    MlpWidth = 128,
    Heads = 4,
    Classes = 10,
};
nn.Module<Tensor, Tensor> Vit() => new VisionTransformer(config);
nn.Module<Tensor, Tensor> Linear() => nn.Sequential(("flat", nn.Flatten()), ("head", nn.Linear(28 * 28, 10)));

var (rest, validation) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).RandomSplit(ValidationCount, seed: 0);
var test = FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist);
var log = new ExperimentLog("ingredients.csv", "recipe;images;epochs;rate;seed;validation_top1;test_top1;validation_average_top1;test_average_top1");

Recipe Plain(int epochs) => new()
{
    Epochs = epochs,
    BatchSize = 64,
    WarmUpEpochs = 0.1 * epochs,
    WeightDecay = 0.05,
    Device = "cpu",
};
var augmentation = new Augmentation { CropPadding = 2, HorizontalFlip = true };
var contenders = new[] { 4, 32 }.SelectMany(epochs => new (string Name, Func<nn.Module<Tensor, Tensor>> New, double First, int Images, Recipe Recipe)[]
    {
        ("all", Vit, 2e-3, Few, Plain(epochs) with { Augmentation = augmentation }),
        ("no warm-up", Vit, 2e-3, Few, Plain(epochs) with { Augmentation = augmentation, WarmUpEpochs = 0 }),
        ("no weight decay", Vit, 2e-3, Few, Plain(epochs) with { Augmentation = augmentation, WeightDecay = 0 }),
        ("no augmentation", Vit, 2e-3, Few, Plain(epochs)),
    })
    .Prepend(("ViT", Vit, 2e-3, Many, Plain(3)))
    .Prepend(("linear layer", Linear, 1e-3, Many, Plain(3)));

ComputeDevice.TuneProcess();
foreach (var (name, create, first, images, recipe) in contenders)
{
    var best = ExperimentLog.BestRate(first, rate => Run(rate, seed: 11, look: false)[0]);
    var found = new[] { 1, 2, 3 }.Select(seed => Run(best, seed, look: true)).ToArray();
    Console.WriteLine($"{name}, {images:N0} images, {recipe.Epochs} epochs, rate {best}: {ExperimentLog.Spread([.. found.Select(it => it[1])])} % of the test images, averaged weights {ExperimentLog.Spread([.. found.Select(it => it[3])])} %");

    // The accuracy on validation and test images with the last weights, then with the averaged ones.
    double[] Run(double rate, int seed, bool look) => log.Results($"{name};{images};{recipe.Epochs};{rate};{seed}", () =>
    {
        using var scope = NewDisposeScope();
        random.manual_seed(seed);
        using var model = create();
        using var average = create();
        average.load_state_dict(model.state_dict());
        var step = 0L;
        using (var trainer = new Trainer(model, rest.RandomSplit(images, seed).Aside, validation.Select([0]), recipe with { LearningRate = rate, Seed = seed })
        {
            Loss = (model, images, targets) =>
            {
                Average(step++);
                return Trainer.CrossEntropy(model, images, targets);
            },
        })
            foreach (var _ in trainer.Run()) { }
        Average(step);
        return [Top1(model, validation), look ? Top1(model, test) : double.NaN, Top1(average, validation), look ? Top1(average, test) : double.NaN];

        // As the Trainer averages, which would leave only one of the two.
        void Average(long step)
        {
            using var noGradients = no_grad();
            foreach (var (mean, own) in average.parameters().Zip(model.parameters()))
                mean.lerp_(own, 1 - Math.Min(Decay, (1.0 + step) / (10 + step)));
        }

        static double Top1(nn.Module<Tensor, Tensor> model, ImageSet set) => Evaluation.Of(model, set).Top1;
    });
}
