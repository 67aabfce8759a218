#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using System.Globalization;
using TorchSharp.Modules;
using Vit.Data;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// What pre-training on seven classes is worth for learning the three others, by the number of images to learn them from.
//   dotnet run data/experiments/head-start.cs
// Writes head-start.csv beside it, a line for each training; what stands there already is not trained again. Each way of
// learning has its own learning rate for each number of images: with seed 1, the one that knows the 600 validation images
// best, from a sweep that goes on until its best rate has a worse one on either side. With it the other seeds are trained.
// A seed chooses the images to learn from, the first weights where they are random, and the batches.
// It takes half an hour of one quiet core.

const int ValidationCount = 600;
int[] sizes = [10, 30, 100, 300, 1_000], seeds = [1, 2, 3];
string[] classes = ["Pullover", "Coat", "Shirt"];

var checkpoint = Path.Combine(ExperimentLog.Folder, "..", "checkpoints", "fashion-mnist-seven");
var log = new ExperimentLog("head-start.csv", "way;images;steps;rate;seed;validation_top1;test_top1");

ComputeDevice.TuneProcess();
var (rest, validation) = FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist).OfClasses(classes).RandomSplit(ValidationCount, seed: 0);
var test = FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist).OfClasses(classes);
var frozen = Load();
frozen.eval();
random.manual_seed(0);
var untrained = new VisionTransformer(frozen.Config);
untrained.eval();
var config = frozen.Config;

// A way's rates to begin with; how a model is made; what it is given in the place of the images [B, 1, 28, 28]; the share
// of the learning rate that a parameter gets, by its name, where 0 freezes it.
var ways = new Way[]
{
    new("from scratch", 1e-3, () => new VisionTransformer(config)),
    new("linear, on pixels", 1e-2, () => nn.Sequential(("flat", nn.Flatten()), ("head", nn.Linear(28 * 28, classes.Length)))),
    new("linear, on frozen features", 1e-2, () => nn.Linear(config.Width, classes.Length), Features),
    new("linear, on all frozen tokens after block 3", 1e-3, () => nn.Linear((config.Tokens - 1) * config.Width, classes.Length), pixels => PatchTokens(frozen, pixels, block: 3)),
    new("fine-tuned", 1e-3, Load),
    new("fine-tuned, head ten times as fast", 1e-3, Load, Share: name => IsHead(name) ? 10 : 1),
    new("fine-tuned, last two blocks", 1e-3, Load, Share: name => Depth(name) > config.Layers - 2 ? 1 : 0),
    new("fine-tuned, each block slower than the next", 1e-3, Load, Share: name => Math.Pow(0.65, config.Layers + 1 - Depth(name))),
    // Which of the three makes the tokens after block 3 better than the features: the block, the place, or that they are many?
    new("linear, on all frozen tokens after the last block", 1e-3, () => nn.Linear((config.Tokens - 1) * config.Width, classes.Length), pixels => PatchTokens(frozen, pixels, config.Layers)),
    new("linear, on the frozen class token after block 3", 1e-2, () => nn.Linear(config.Width, classes.Length), pixels => Tokens(frozen, pixels, block: 3, 0, 1)),
    new("linear, on all tokens after block 3 of an untrained encoder", 1e-3, () => nn.Linear((config.Tokens - 1) * config.Width, classes.Length), pixels => PatchTokens(untrained, pixels, block: 3)),
};

var results = new Dictionary<(string Way, int Images), double[]>();
// Whoever stops early has the first five ways, then all, with 10, 100 and 1,000 images.
var order = sizes.SelectMany(images => ways.Select((way, i) => (Images: images, Way: way, Late: images is 30 or 300 ? 2 : i / 5)));
foreach (var (images, way, _) in order.OrderBy(it => it.Late))
{
    var rate = Best(way, images);
    results[(way.Name, images)] = [.. seeds.Select(seed => Run(way, images, StepsFor(images), rate, seed)[1])];
}
// Whether the number of steps is what holds the model without a head start back.
foreach (var seed in seeds)
    Run(ways[0], sizes[^1], 4 * StepsFor(sizes[^1]), Best(ways[0], sizes[^1]), seed);

Console.WriteLine("| way | " + string.Join(" | ", sizes) + " |");
Console.WriteLine("| --- |" + string.Concat(sizes.Select(_ => " --- |")));
foreach (var way in ways)
    Console.WriteLine($"| {way.Name} | " + string.Join(" | ", sizes.Select(images => ExperimentLog.Spread(results[(way.Name, images)]))) + " |");

// The rate with which the validation images are known best, where the rates to either side have been tried.
double Best(Way way, int images) =>
    ExperimentLog.BestRate(way.Rate, rate => Run(way, images, StepsFor(images), rate, seeds[0])[0], Math.Sqrt(10));

// A training's accuracy on validation and test images.
double[] Run(Way way, int images, int steps, double rate, int seed) => log.Results($"{way.Name};{images};{steps};{rate};{seed}", () =>
{
    using var scope = NewDisposeScope();
    var few = rest.RandomSplit(images, seed).Aside;
    random.manual_seed(seed);
    using var model = way.New();
    model.train();
    // As they are, and mirrored.
    var pixels = FewLabels.Normalized(few);
    var inputs = stack([way.Given(pixels), way.Given(pixels.flip(3))], 1);    // [N, 2, …]
    Learn(model, inputs, few.Labels, steps, rate, way.ShareOf);
    return [FewLabels.Accuracy(model, way.Given(FewLabels.Normalized(validation)), validation.Labels), FewLabels.Accuracy(model, way.Given(FewLabels.Normalized(test)), test.Labels)];
});

// AdamW, a cosine after a short warm-up, batches of 16.
static void Learn(nn.Module<Tensor, Tensor> model, Tensor inputs, Tensor labels, int steps, double rate, Func<string, double> shareOf)
{
    var groups = new List<(TorchSharp.Modules.AdamW.ParamGroup Group, double Share)>();
    foreach (var (name, parameter) in model.named_parameters())
        if (shareOf(name) is > 0 and var share)
            groups.Add((new([parameter], weight_decay: Vit.Training.AdamW.Decays(name, parameter) ? 0.05 : 0), share));
        else
            parameter.requires_grad = false;
    using var optimizer = optim.AdamW(groups.Select(it => it.Group));
    var recipe = new Recipe { Epochs = 1, WarmUpEpochs = 0.1, LearningRate = rate };
    var order = new Queue<long>();
    for (var step = 0; step < steps; step++)
    {
        using var scope = NewDisposeScope();
        while (order.Count < Math.Min(16, labels.shape[0]))
            foreach (var image in randperm(labels.shape[0]).data<long>())
                order.Enqueue(image);
        var batch = tensor(Enumerable.Range(0, (int)Math.Min(16, labels.shape[0])).Select(_ => order.Dequeue()).ToArray());
        var way = randint(2, batch.shape);
        foreach (var (group, share) in groups)
            group.LearningRate = share * recipe.LearningRateAt(step, steps);
        optimizer.zero_grad();
        nn.functional.cross_entropy(model.forward(inputs[batch, way]), labels[batch]).backward();
        nn.utils.clip_grad_norm_(model.parameters().Where(it => it.requires_grad), 1);
        optimizer.step();
    }
}

// What the head of the pre-trained model reads.
Tensor Features(Tensor pixels) => InParts(pixels, part => frozen.ForwardHead(frozen.ForwardFeatures(part), preLogits: true));

// All patch tokens after a block, side by side.
Tensor PatchTokens(VisionTransformer model, Tensor pixels, int block) => Tokens(model, pixels, block, 1, config.Tokens);

// The tokens from first to last - 1, through the final LayerNorm.
static Tensor Tokens(VisionTransformer model, Tensor pixels, int block, int first, int last) =>
    InParts(pixels, part => model.Intermediates(part, [block - 1], norm: true)[0].slice(1, first, last, 1).flatten(1));

static Tensor InParts(Tensor pixels, Func<Tensor, Tensor> see)
{
    using var scope = NewDisposeScope();
    using var noGradients = no_grad();
    return cat([.. pixels.split(250).Select(see)]).MoveToOuterDisposeScope();
}

// The pre-trained model, with a new head of zeros.
VisionTransformer Load() => Pretrained.Load<VisionTransformer>(checkpoint, new() { Classes = classes.Length }).Model;

static int StepsFor(int images) => images switch { <= 100 => 100, <= 300 => 150, _ => 250 };

static bool IsHead(string name) => name.StartsWith("head.", StringComparison.Ordinal);

// 0 for the embedding, then the number of the block, and one more for what follows the blocks.
int Depth(string name) => name.Split('.') switch
{
    ["blocks", var block, ..] => 1 + int.Parse(block, CultureInfo.InvariantCulture),
    ["norm" or "head", ..] => config.Layers + 1,
    _ => 0,
};

record Way(string Name, double Rate, Func<nn.Module<Tensor, Tensor>> New, Func<Tensor, Tensor>? Gives = null, Func<string, double>? Share = null)
{
    public Tensor Given(Tensor pixels) => Gives is null ? pixels : Gives(pixels);

    public double ShareOf(string name) => Share is null ? 1 : Share(name);
}
