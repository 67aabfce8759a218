#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using TorchSharp;
using TorchSharp.Modules;
using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

// Notebook 19's experiment: a small ViT and a small U-Net learn to find the brain in axial slices of one head. The slices
// that are tested stay; those that are trained on come from between them, from outside their block, or from the head's
// other half.
//   OMP_NUM_THREADS=1 dotnet run data/experiments/segmentation.cs
// Writes segmentation.csv beside it, a line for each training; what stands there already is not trained again. It takes
// about a quarter of an hour on one quiet core. The head's 76 slices with brain are cut into five blocks. The middle one
// chooses each model's rate (the best mean of two seeds, with a worse one on either side); the other four are tested, with
// two seeds each. A seed draws the slices to train on and the first weights.

int[] seeds = [1, 2], tested = [2, 17, 47, 62];
const int Middle = 32;
string[] splits = ["random", "block", "half"];
string[] models = ["ViT", "U-Net"];

var measures = new[] { "test" }.Concat(Mri.Changes.Select(change => change.Name)).Concat(["coronal", "sagittal"]);
var log = new ExperimentLog("segmentation.csv", "model;split;rate;block;seed;" + string.Join(';', measures));

var mri = new Mri(Path.Combine(ExperimentLog.Folder, "..", "mri"));
ComputeDevice.TuneProcess();
var best = models.ToDictionary(name => name, BestRate);
foreach (var seed in seeds)
    foreach (var block in tested)
        foreach (var split in splits)
            foreach (var name in models)
                Run(name, split, best[name], block, seed, look: true);

double BestRate(string name) =>
    ExperimentLog.BestRate(8e-3, rate => seeds.Average(seed => Run(name, "block", rate, Middle, seed, look: false)[0]));

// Dice on the test slices; the changed ones are looked at once the rate is chosen.
double[] Run(string name, string split, double rate, int block, int seed, bool look) => log.Results($"{name};{split};{rate};{block};{seed}", () =>
{
    using var scope = NewDisposeScope();
    var (train, test) = Mri.Split(split, block, seed);
    using var model = Mri.Trained(name, mri.Axial[train], mri.AxialMasks[train], rate, seed);
    var images = mri.Axial[test];
    var masks = mri.AxialMasks[test];
    List<double> found = [Mri.Dice(Mri.Predict(model, images), masks)];
    if (look)
    {
        foreach (var (_, change) in Mri.Changes)
        {
            random.manual_seed(seed);
            found.Add(Mri.Dice(Mri.Predict(model, change(images)), masks));
        }
        found.Add(Mri.Dice(Mri.Predict(model, mri.Coronal), mri.CoronalMasks));
        found.Add(Mri.Dice(Mri.Predict(model, mri.Sagittal), mri.SagittalMasks));
    }
    return [.. found];
});

// The head as slices of 112 × 112 pixels, [N, 1, 112, 112], what is nearest the reader's top of the page: front, or top.
sealed class Mri
{
    public const int Side = 112, First = 2, Last = 77, Half = 40;

    public Tensor Axial, AxialMasks, Coronal, CoronalMasks, Sagittal, SagittalMasks;

    public Mri(string folder)
    {
        var head = Cube(Nifti.Read(Path.Combine(folder, "head.nii.gz")).Voxels / 255);
        var brain = Cube(Nifti.Read(Path.Combine(folder, "brain.nii.gz")).Voxels);
        (Axial, AxialMasks) = (head.permute(2, 1, 0).flip(1).unsqueeze(1), brain.permute(2, 1, 0).flip(1).unsqueeze(1));
        (Coronal, CoronalMasks) = (head.permute(1, 2, 0).flip(1).unsqueeze(1), brain.permute(1, 2, 0).flip(1).unsqueeze(1));
        (Sagittal, SagittalMasks) = (head.permute(0, 2, 1).flip(1).unsqueeze(1), brain.permute(0, 2, 1).flip(1).unsqueeze(1));
    }

    // 90 × 108 × 90 voxels in the middle of 112³; slice z of the volume is slice 11 + z of the cube.
    static Tensor Cube(Tensor volume) => nn.functional.pad(volume, [11, 11, 2, 2, 11, 11]);

    // Of a block of 15 slices every second one is tested, so that its first and its last keep what is outside away from those;
    // 36 others are trained on.
    public static (Tensor Train, Tensor Test) Split(string split, int start, int seed)
    {
        int[] block = [.. Enumerable.Range(start, 15)], all = [.. Enumerable.Range(First, Last - First + 1)];
        int[] test = [.. block.Where((_, i) => i % 2 == 1)];
        int[] free = split switch
        {
            "random" => [.. all.Except(test)],
            "block" => [.. all.Except(block)],
            _ => [.. all.Where(z => z < Half != start < Half)],
        };
        new Random(seed).Shuffle(free);
        return (Numbers(free[..36]), Numbers(test));

        static Tensor Numbers(int[] slices) => tensor(slices.Select(z => 11L + z).ToArray());
    }

    public static nn.Module<Tensor, Tensor> New(string name) => name == "U-Net" ? new SmallUNet(8) : new Segmenter(new VisionTransformerConfig
    {
        ImageHeight = Side, ImageWidth = Side, Channels = 1, PatchSize = 8, Layers = 3, Width = 64, MlpWidth = 128, Heads = 4,
        Classes = 1, Pooling = Pooling.Mean, NormBeforePooling = true,
    });

    public static nn.Module<Tensor, Tensor> Trained(string name, Tensor images, Tensor masks, double rate, int seed)
    {
        const int steps = 400;
        random.manual_seed(seed);
        var model = New(name);
        var optimizer = optim.AdamW(model.parameters(), rate, weight_decay: 0.01);
        model.train();
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            optimizer.ParamGroups.First().LearningRate = ExperimentLog.RateAt(rate, (step + 1.0) / steps, warmUp: 0.1);
            var some = randperm(images.shape[0])[..4];
            var loss = nn.functional.binary_cross_entropy_with_logits(model.call(Scaled(images[some])), masks[some]);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        }
        model.eval();
        return model;
    }

    static Tensor Scaled(Tensor images) => images * 4 - 1;

    public static Tensor Predict(nn.Module<Tensor, Tensor> model, Tensor images)
    {
        using var noGradient = no_grad();
        return cat([.. images.split(16).Select(some => model.call(Scaled(some)).gt(0))]).to(float32);
    }

    // Of all pixels of all slices together.
    public static double Dice(Tensor a, Tensor b) => (2 * (a * b).sum() / (a.sum() + b.sum())).item<float>();

    public static readonly (string Name, Func<Tensor, Tensor> Of)[] Changes =
    [
        ("darker", x => 0.5 * x),
        ("brighter", x => (1.5 * x).clamp(0, 1)),
        ("inverted", x => where(x.gt(0.06), 1 - x, x)),
        ("noise 5 %", x => Noisy(x, 0.05)),
        ("noise 10 %", x => Noisy(x, 0.1)),
        ("noise 20 %", x => Noisy(x, 0.2)),
    ];

    // The length of a number with a normal error in its real and in its imaginary part: Rician noise, that of MRI.
    static Tensor Noisy(Tensor x, double deviation) =>
        ((x + deviation * randn_like(x)).square() + (deviation * randn_like(x)).square()).sqrt().clamp(0, 1);
}

// A U-Net in small (arXiv:1505.04597): down three times, up three times, and what was there before is added; notebook 19
// builds the same.
sealed class SmallUNet : nn.Module<Tensor, Tensor>
{
    readonly ModuleList<Sequential> down = [], narrow = [], up = [];
    readonly Conv2d head;

    public SmallUNet(int width) : base(nameof(SmallUNet))
    {
        for (var level = 0; level < 4; level++)
            down.Add(Conv(level == 0 ? 1 : width << (level - 1), width << level, 3));
        for (var level = 0; level < 3; level++)
        {
            narrow.Add(Conv(width << (level + 1), width << level, 1));
            up.Add(Conv(width << level, width << level, 3));
        }
        head = nn.Conv2d(width, 1, 1);
        RegisterComponents();
    }

    static Sequential Conv(int input, int output, int kernel) =>
        nn.Sequential(nn.Conv2d(input, output, kernel, padding: kernel / 2, bias: false), nn.BatchNorm2d(output), nn.ReLU());

    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var maps = new Tensor[4];
        for (var level = 0; level < 4; level++)
            maps[level] = down[level].call(level == 0 ? images : nn.functional.max_pool2d(maps[level - 1], 2));
        var map = maps[3];
        for (var level = 2; level >= 0; level--)
            map = up[level].call(maps[level] + nn.functional.interpolate(narrow[level].call(map), scale_factor: [2, 2]));
        return head.call(map).MoveToOuterDisposeScope();
    }
}
