using System.Globalization;
using Vit.Models;
using static TorchSharp.torch;
using AdamW = Vit.Training.AdamW;

namespace Benchmarks;

/// <summary>How near a training step of a small ViT comes to the matrix product of the same machine, in the same process.</summary>
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
        using var scope = NewDisposeScope();
        manual_seed(1);
        var model = new VisionTransformer(Config);
        using var optimizer = new AdamW(model);
        var (images, labels) = (rand(Batch, 1, 28, 28), randint(10, Batch));
        var (left, right) = (rand(ProductSize, ProductSize), rand(ProductSize, ProductSize));
        var (forward, backward, update) = (new List<Duration>(), new List<Duration>(), new List<Duration>());

        void Step()
        {
            using var step = NewDisposeScope();
            optimizer.ZeroGrad();
            Tensor? loss = null;
            forward.Add(Duration.Of(() => loss = nn.functional.cross_entropy(model.forward(images), labels)));
            backward.Add(Duration.Of(() => loss!.backward()));
            update.Add(Duration.Of(() => optimizer.Step(1e-3, clipNorm: 1)));
        }

        var times = Duration.InTurns(options.Rounds, () => left.mm(right).Dispose(), Step);
        var productRate = 2 * Math.Pow(ProductSize, 3);
        var stepWork = 3 * Batch * Operations(Config);
        string Share(Func<Duration, double> time) => string.Create(CultureInfo.InvariantCulture,
            $"{times[0].Zip(times[1], (product, step) => stepWork / time(step) / (productRate / time(product))).Median():P0}");
        Figures.Header("threads", "GFLOP a step", "product, GFLOP/s", "step, ms", "forward", "backward", "update", "share, by the clock", "share, by processor time");
        Figures.Row(options.Threads, (stepWork / 1e9).ToString("F1", CultureInfo.InvariantCulture),
            (productRate / times[0].Select(it => it.Wall).Median() / 1e9).ToString("F0", CultureInfo.InvariantCulture), Figures.Milliseconds(times[1]),
            Figures.Milliseconds(forward), Figures.Milliseconds(backward), Figures.Milliseconds(update), Share(it => it.Wall), Share(it => it.Processor));
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
