#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using TorchSharp;
using Vit.Data;
using Vit.Layers;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

// Trains a model that lies beside this program again, as its recipes say:
//   dotnet run data/checkpoints/train.cs -- fashion-mnist-vit --seed 1 --output FOLDER
// Numbered stages train the model itself:
// 1. From scratch. At first the encoder sees half of the patches of each image, which takes less than half of the time.
// 2, 3, 4. On mixed images, from the weights of the stage before. The targets are the mean of the labels and of what the
//    teacher before that stage makes of the same images.
// convnet, teacher. A ConvNet, and a wider one, from scratch, to be teachers. The wider one is the same for all seeds: its
//    folder may be copied from one output to another.
// Stopped or killed, it goes on where it was when it is called again. Other options: --data FOLDER, and --precision BFloat16,
// Float32 or Fastest for all stages. CIFAR-10 is read from its binary version, or from a folder with train and test, in which
// each class has a folder of pictures.

string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
string[] known = [.. Directory.GetDirectories(here).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
var name = args.FirstOrDefault() ?? "";
if (!known.Contains(name))
{
    Console.Error.WriteLine($"Which model? {string.Join(", ", known)}");
    return 1;
}
var shipped = Path.Combine(here, name);
string[] stages = name switch
{
    "fashion-mnist-vit" => ["1", "teacher", "2", "3", "4"],
    "cifar-10-vit" => ["1", "convnet", "2", "teacher", "3"],
    _ => ["1"],
};
Recipe Read(string stage)
{
    var recipe = Recipe.FromJson(File.ReadAllText(Path.Combine(shipped, $"recipe-{stage}.json")));
    return recipe with
    {
        // The recipes are seed 1's. A stage whose recipe names another number draws its own: with --seed 2, the one above.
        Seed = stage != "teacher" && Option("--seed") is string seed ? recipe.Seed - 1 + long.Parse(seed) : recipe.Seed,
        Precision = Option("--precision") is string precision ? Enum.Parse<Precision>(precision, ignoreCase: true) : recipe.Precision,
    };
}
var first = Read(stages[0]);
var folder = Path.GetFullPath(Option("--output") ?? $"{name}-seed-{first.Seed}");

var photographs = name == "cifar-10-vit";
IImageSource Images(Split split)
{
    if (!photographs)
    {
        var clothes = FashionMnist.Load(split, Option("--data") ?? Path.Combine(here, "..", "fashion-mnist"));
        return name == "fashion-mnist-seven" ? clothes.OfClasses([.. clothes.ClassNames.Except(["Pullover", "Coat", "Shirt"])]) : clothes;
    }
    var data = Option("--data") ?? Path.Combine(here, "..", "cifar-10-batches-bin");
    var pictures = Path.Combine(data, split == Split.Train ? "train" : "test");
    return Directory.Exists(pictures)
        ? ImageFolder.Scan(pictures, new Preprocessing { Height = 32, Width = 32, Crop = 1, Normalization = Cifar10.Normalization })
        : Cifar10.Load(split, data);
}
(IImageSource, IImageSource) Part(IImageSource all, int count) => all switch
{
    ImageSet set => set.RandomSplit(count, seed: 0),
    ImageFolder pictures => pictures.RandomSplit(count, seed: 0),
    _ => throw new NotSupportedException($"{all.GetType().Name} cannot be split."),
};
var (training, validation) = Part(Images(Split.Train), first.ValidationCount);

var config = photographs
    ? new VisionTransformerConfig
    {
        ImageHeight = 32,
        ImageWidth = 32,
        PatchSize = 4,
        Layers = 6,
        Width = 128,
        MlpWidth = 256,
        Heads = 4,
        Classes = 10,
        Pooling = Pooling.Mean,
    }
    : new VisionTransformerConfig
    {
        ImageHeight = 28,
        ImageWidth = 28,
        Channels = 1,
        PatchSize = 4,
        Layers = 6,
        Width = 96,
        MlpWidth = 192,
        Heads = 4,
        Classes = training.ClassNames.Count,
    };
var convNetConfig = new ConvNetConfig { Channels = config.Channels, Widths = [32, 64, 128], Classes = config.Classes };
// For how many epochs of a stage the encoder sees only some of the patches, and what share it does not see.
(int Epochs, double Share) PatchDropout(string stage) => (name, stage) switch
{
    ("fashion-mnist-vit", "1") => (14, 0.5),
    ("fashion-mnist-vit", "2") => (26, 0.5),
    ("fashion-mnist-vit", "3" or "4") => (28, 0.5),
    ("fashion-mnist-seven", "1") => (18, 0.5),
    ("cifar-10-vit", "1") => (8, 0.5),
    ("cifar-10-vit", "2") => (45, 0.5),
    ("cifar-10-vit", "3") => (25, 0.5),
    _ => default,
};

var likeTrained = name != "fashion-mnist-seven";
ComputeDevice.TuneProcess();
random.manual_seed(first.Seed);
using var model = new VisionTransformer(config);
using (no_grad())
{
    // The positions are learned, from a start at which neighbours are alike; among few positions, with short waves.
    using var sines = PositionEmbedding.SinCos2D(config.GridRows, config.GridColumns, config.Width, temperature: likeTrained ? 20 : 10_000);
    model.pos_embed!.slice(1, config.ExtraTokens, config.Tokens, 1).copy_(sines);
    if (likeTrained)
        StartLikeTrained(model);
}
random.manual_seed(first.Seed);
using var convNet = new ConvNet(convNetConfig);
if (stages.Contains("teacher"))
    random.manual_seed(Read("teacher").Seed);
using var teacher = new Teacher(config.Channels, config.Classes);
if (stages.Contains("teacher"))
    teacher.Whiten(training);
Console.WriteLine($"{model.parameters().Sum(p => p.numel()):N0} parameters, {training.Count:N0} images to train on, {validation.Count:N0} to validate with, into {folder}");

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};

(nn.Module<Tensor, Tensor> Net, Func<nn.Module<Tensor, Tensor>> Another)? teaching = null;
foreach (var stage in stages)
{
    (nn.Module<Tensor, Tensor> Net, Func<nn.Module<Tensor, Tensor>> Another) trained = stage switch
    {
        "convnet" => (convNet, () => new ConvNet(convNetConfig)),
        "teacher" => (teacher, () => new Teacher(config.Channels, config.Classes)),
        _ => (model, () => new VisionTransformer(config)),
    };
    var loss = trained.Net == model && teaching is var (net, another) ? AsTheTeacher(net, another) : Trainer.CrossEntropy;
    if (!Train(stage, trained.Net, trained.Another, loss))
        return 0;
    if (trained.Net != model)
        teaching = trained;
}

// A stage ends with the weights that knew the validation images best.
bool Train(string stage, nn.Module<Tensor, Tensor> model, Func<nn.Module<Tensor, Tensor>> copy, TrainingLoss loss)
{
    var recipe = Read(stage);
    var (epochs, share) = PatchDropout(stage);
    Trainer? running = null;
    using var trainer = running = new Trainer(model, training, validation, recipe, copy)
    {
        Checkpoints = new CheckpointFolder(Path.Combine(folder, stage)),
        CheckpointSteps = 100,
        Progress = new ProgressBar(),
        Loss = (model, images, targets) =>
        {
            if (model is VisionTransformer transformer)
                transformer.PatchDropout = running!.History.Count < epochs ? share : 0;
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
        Console.WriteLine($"stopped after step {trainer.Step}, in {trainer.Precision}; the same command goes on from there");
        return false;
    }
    TrainingCheckpoint.Open(trainer.Checkpoints.Best!).LoadWeights(model);
    return true;
}

static TrainingLoss AsTheTeacher(nn.Module<Tensor, Tensor> teacher, Func<nn.Module<Tensor, Tensor>> another)
{
    // The teacher computes as the model does, by a copy where that is not in float32: its own weights are not rounded.
    var teachers = new Dictionary<ScalarType, nn.Module<Tensor, Tensor>> { [ScalarType.Float32] = teacher };
    return (model, images, targets) =>
    {
        using (no_grad())
        {
            if (!teachers.TryGetValue(images.dtype, out var same))
            {
                same = another();
                same.load_state_dict(teacher.state_dict());
                teachers.Add(images.dtype, same.to(images.dtype));
            }
            same.eval();
            targets = (targets + same.forward(images).to(float32).softmax(1)) / 2;
        }
        return Trainer.CrossEntropy(model, images, targets);
    };
}

// Attention starts out as long trainings leave it (arXiv:2305.09828): tokens look at what is like them, place included,
// since W_q·W_kᵀ is near the identity; and what attention brings is taken away from the token, since W_v·W_o is near minus it.
static void StartLikeTrained(VisionTransformer model)
{
    int width = model.Config.Width, heads = model.Config.Heads, size = width / heads;
    foreach (var block in model.blocks)
    {
        using var scope = NewDisposeScope();
        var (left, values, right) = linalg.svd(0.4 * randn(width, width) / Math.Sqrt(width) - 0.4 * eye(width));
        var root = values.sqrt();
        block.attn.qkv.weight!.narrow(0, 2 * width, width).copy_((left * root).t());
        block.attn.proj.weight!.copy_((root.unsqueeze(1) * right).t());
        for (var head = 0; head < heads; head++)
        {
            (left, values, right) = linalg.svd(0.7 * randn(width, width) / Math.Sqrt(size) + 0.7 * eye(width));
            root = values.sqrt();
            block.attn.qkv.weight!.narrow(0, head * size, size).copy_((left * root).t().narrow(0, 0, size));
            block.attn.qkv.weight!.narrow(0, width + head * size, size).copy_((root.unsqueeze(1) * right).narrow(0, 0, size));
        }
    }
}

var results = Path.Combine(folder, "model");
// Half the bits are enough to store what is shipped.
if (photographs)
    model.to(ScalarType.Float16);
// Of a photograph the largest square in the middle is taken.
Pretrained.SaveAsTimm(model, results, training.ClassNames, photographs ? training.Preprocessing with { Crop = 1 } : training.Preprocessing);
foreach (var stage in stages)
{
    File.WriteAllText(Path.Combine(results, $"recipe-{stage}.json"), Read(stage).ToJson() + "\n");
    File.Copy(Path.Combine(folder, stage, "log.csv"), Path.Combine(results, $"log-{stage}.csv"), overwrite: true);
}

// The only look at the test images.
model.to(ScalarType.Float32);
var test = Evaluation.Of(model, Images(Split.Test));
Console.WriteLine($"{100 * test.Top1:F2} % of {test.Count:N0} test images, top-5 {100 * test.Top5:F2} %, loss {test.Loss:F4}");
foreach (var (className, accuracy) in training.ClassNames.Zip(test.Confusion.AccuracyByClass))
    Console.WriteLine($"{className,-12} {100 * accuracy:F1} %");
return 0;

// A ConvNet that learns small pictures in few epochs (arXiv:2404.00498). Its first layer is not learned: its filters are the
// principal components of small pieces of the pictures, each divided by its spread.
sealed class Teacher : nn.Module<Tensor, Tensor>
{
    private readonly Tensor filters;
    private readonly TorchSharp.Modules.Sequential body;

    public Teacher(int channels, int classes) : base(nameof(Teacher))
    {
        var size = channels == 1 ? 3 : 2;
        var components = channels * size * size;
        filters = zeros(2 * components, channels, size, size);
        List<nn.Module<Tensor, Tensor>> layers = [nn.GELU()];
        foreach (var (input, output) in new[] { (2 * components, 64), (64, 128), (128, 256) })
            layers.AddRange([Conv(input, output), nn.MaxPool2d(2), nn.BatchNorm2d(output), nn.GELU(), Conv(output, output), nn.BatchNorm2d(output), nn.GELU()]);
        layers.AddRange([nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, classes, hasBias: false)]);
        body = nn.Sequential(layers);
        RegisterComponents();

        static TorchSharp.Modules.Conv2d Conv(int input, int output)
        {
            var conv = nn.Conv2d(input, output, 3, padding: 1, bias: false);
            using var rest = no_grad();
            nn.init.dirac_(conv.weight!.narrow(0, 0, Math.Min(input, output)));
            // With the channels of a place side by side in memory, an answer takes half of the time.
            conv.weight.set_(conv.weight.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2));
            return conv;
        }
    }

    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        // Some processors get convolutions in bfloat16 wrong where the channels are no multiple of 16
        // (https://github.com/pytorch/pytorch/issues/163347).
        var pieces = nn.functional.conv2d(images.to(float32), filters.to(float32)).to(images.dtype);
        return (body.call(pieces) / 9).MoveToOuterDisposeScope();
    }

    public void Whiten(IImageSource source)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var images = source.Preprocessing.Normalization.Apply(source.Read([.. Enumerable.Range(0, 2_000).Select(index => (long)index)]).Images);
        var (components, channels, size) = (filters.shape[0] / 2, filters.shape[1], filters.shape[2]);
        var pieces = nn.functional.unfold(images, size).transpose(1, 2).reshape(-1, components);
        var (values, vectors) = linalg.eigh(pieces.t().matmul(pieces) / pieces.shape[0]);
        var white = (vectors / (values + 5e-4).sqrt()).t().reshape(components, channels, size, size);
        filters.copy_(cat([white, -white]));
    }
}
