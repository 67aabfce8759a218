using System.Globalization;
using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>How near the trainer's step of a small ViT comes to the matrix product of the same machine, in the same process.</summary>
static class TrainingStep
{
    const int Batch = 128, ProductSize = 2048;

    static readonly VisionTransformerConfig Config = new()
    {
        ImageHeight = 28,
        ImageWidth = 28,
        Channels = 1,
        PatchSize = 4,
        Layers = 6,
        Width = 96,
        MlpWidth = 192,
        Heads = 4,
        Classes = 10,
    };

    public static void Run(Options options)
    {
        Figures.Header("threads", "precision", "GFLOP a step", "product, GFLOP/s", "step, ms", "images/s", "share, by the clock", "share, by processor time");
        foreach (var precision in new[] { Precision.Float32, Precision.BFloat16 })
            Row(options, precision);
    }

    static void Row(Options options, Precision precision)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        // The first two steps warm up.
        var images = rand((options.Rounds + 2) * Batch, 1, 28, 28);
        var labels = randint(Config.Classes, images.shape[0], int64);
        var training = new ImageSet(images, labels, FashionMnist.ClassNames);
        var recipe = new Recipe { Epochs = 1, BatchSize = Batch, Precision = precision, Device = "cpu" };
        var turns = new Turns();
        using (var trainer = new Trainer(new VisionTransformer(Config), training, training.Select([0]), recipe, () => new VisionTransformer(Config)) { Progress = turns })
            trainer.Run().Single();

        var (steps, products) = (turns.Steps.Skip(2).ToArray(), turns.Products.Skip(1).SkipLast(1).ToArray());
        var productRate = 2 * Math.Pow(ProductSize, 3);
        var stepWork = 3 * Batch * Operations(Config);
        string Share(Func<Duration, double> time) => string.Create(CultureInfo.InvariantCulture,
            $"{products.Zip(steps, (product, step) => stepWork / time(step) / (productRate / time(product))).Median():P0}");
        var seconds = steps.Select(it => it.Wall).Median();
        Figures.Row(options.Threads, precision, (stepWork / 1e9).ToString("F1", CultureInfo.InvariantCulture),
            (productRate / products.Select(it => it.Wall).Median() / 1e9).ToString("F0", CultureInfo.InvariantCulture), Figures.Milliseconds(steps),
            (Batch / seconds).ToString("F0", CultureInfo.InvariantCulture), Share(it => it.Wall), Share(it => it.Processor));
    }

    /// <summary>A product after each step.</summary>
    sealed class Turns : IProgress<TrainingProgress>
    {
        readonly Tensor left = rand(ProductSize, ProductSize), right = rand(ProductSize, ProductSize);
        Func<Duration> step = Duration.Begin();

        public List<Duration> Steps { get; } = [];

        public List<Duration> Products { get; } = [];

        public void Report(TrainingProgress value)
        {
            Steps.Add(step());
            Products.Add(Duration.Of(() => left.mm(right).Dispose()));
            step = Duration.Begin();
        }
    }

    /// <summary>
    /// The floating-point operations of the matrix products for one image, a multiplication and an addition each; a
    /// training step has three times as many, since the backward pass has a product for each factor's gradient.
    /// </summary>
    static double Operations(VisionTransformerConfig config)
    {
        double tokens = config.Tokens, width = config.Width;
        var patches = config.GridRows * config.GridColumns * config.Channels * config.PatchSize * config.PatchSize * width;
        var layer = tokens * width * (4 * width + 2 * config.MlpWidth) + 2 * tokens * tokens * width;
        return 2 * (patches + config.Layers * layer + width * config.Classes);
    }
}
