#:project ../../lib/Vit/Vit.csproj
#:property PublishAot=false

using TorchSharp;
using TorchSharp.Modules;
using Vit.Data;
using Vit.Layers;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

// What a small Swin owes to its shift and to its relative position bias, beside a ViT of as many multiply-adds.
//   dotnet run data/experiments/shifted-windows.cs
// Writes shifted-windows.csv beside it, a line for each training; what stands there already is not trained again. Each
// design has its own learning rate: the one that knows the validation images best with seed 1, from a row of rates that goes
// on until the best lies inside. With it the other seeds are trained. About a quarter of an hour on one core.

const int Steps = 600, BatchSize = 32, ValidationCount = 3_000;
int[] seeds = [1, 2, 3];

var log = new ExperimentLog("shifted-windows.csv", "design;rate;seed;validation_top1;test_top1");
var (rest, validation) = Framed(FashionMnist.Load(Split.Train, ExperimentLog.FashionMnist)).RandomSplit(ValidationCount, seed: 0);
var test = Framed(FashionMnist.Load(Split.Test, ExperimentLog.FashionMnist));

var designs = new (string Name, Func<nn.Module<Tensor, Tensor>> New)[]
{
    ("Swin", () => new SmallSwin(shift: true, bias: true)),
    ("Swin without shift", () => new SmallSwin(shift: false, bias: true)),
    ("Swin without bias", () => new SmallSwin(shift: true, bias: false)),
    ("ViT", () => new VisionTransformer(new()
    {
        ImageHeight = 32, ImageWidth = 32, Channels = 1, PatchSize = 4,
        Layers = 4, Width = 32, MlpWidth = 144, Heads = 2, Classes = 10,
    })),
    ("Swin without either", () => new SmallSwin(shift: false, bias: false)),
};

ComputeDevice.TuneProcess();
foreach (var design in designs)
    ExperimentLog.Sweep(design.Name, 2e-3, seeds, (rate, seed) => Run(design, rate, seed));

// The accuracy on validation and test images.
double[] Run((string Name, Func<nn.Module<Tensor, Tensor>> New) design, double rate, int seed) => log.Results($"{design.Name};{rate};{seed}", () =>
{
    using var scope = NewDisposeScope();
    random.manual_seed(seed);
    using var model = design.New();
    var recipe = new Recipe
    {
        Epochs = 1, BatchSize = BatchSize, LearningRate = rate, WarmUpEpochs = 0.1, Seed = seed, Device = "cpu",
    };
    // The Trainer looks at one image of validation after the epoch, which chooses nothing.
    using (var trainer = new Trainer(model, rest.RandomSplit(Steps * BatchSize, seed).Aside, validation.Select([0]), recipe))
        foreach (var _ in trainer.Run()) { }
    return [Evaluation.Of(model, validation).Top1, Evaluation.Of(model, test).Top1];
});

// 28 × 28 pixels with two black ones around them, so that they divide into 16 × 16 patches of 2 × 2.
static ImageSet Framed(ImageSet set) =>
    new(nn.functional.pad(set.Images, [2, 2, 2, 2]), set.Labels, set.ClassNames, set.Preprocessing.Normalization);

/// <summary>Three stages of 16 × 16, 8 × 8 and 4 × 4 patches in windows of 4 × 4; the first two are shifted in every second block.</summary>
sealed class SmallSwin : nn.Module<Tensor, Tensor>
{
    const int Grid = 16, Window = 4, Width = 16;
    static readonly int[] Depths = [2, 2, 1];

    readonly PatchEmbedding patch_embed = new(1, 2, Width, 1e-5);
    readonly ModuleList<SwinStage> layers;
    readonly LayerNorm norm = nn.LayerNorm(Width << 2, 1e-5);
    readonly Linear head = nn.Linear(Width << 2, 10);

    public SmallSwin(bool shift, bool bias) : base(nameof(SmallSwin))
    {
        layers = [.. Depths.Select((depth, stage) => new SwinStage(
            stage == 0 ? null : new PatchMerging(Width << (stage - 1)),
            Enumerable.Range(0, depth).Select(block => new SwinBlock(
                Width << stage, 1 << stage, Grid >> stage, Grid >> stage, Window, shift && block == 1 ? Window / 2 : 0))))];
        RegisterComponents();
        nn.init.zeros_(head.weight);
        nn.init.zeros_(head.bias);
        if (bias)
            return;
        foreach (var attention in layers.modules().OfType<WindowAttention>())
        {
            nn.init.zeros_(attention.relative_position_bias_table);
            attention.relative_position_bias_table.requires_grad_(false);
        }
    }

    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = patch_embed.call(images).unflatten(1, Grid, Grid);
        foreach (var stage in layers)
            tokens = stage.call(tokens);
        return head.call(norm.call(tokens).mean([1, 2])).MoveToOuterDisposeScope();
    }
}
