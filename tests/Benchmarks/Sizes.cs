using System.Globalization;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;
using AdamW = Vit.Training.AdamW;

namespace Benchmarks;

/// <summary>Images a second and memory by model and resolution, in inference and in training.</summary>
static class Sizes
{
    public const string Child = "--size";

    public static void Run(Options options)
    {
        Figures.Header("model", "pixels", "tokens", "inference, images/s", "inference, MB an image", "training, images/s", "training, MB an image");
        foreach (var (name, pixels) in new[] { ("Ti/16", 224), ("S/16", 224), ("S/16", 160), ("S/16", 320), ("S/16", 448) })
        {
            if (options.Quick && (name, pixels) != ("Ti/16", 224))
                continue;
            var cells = new List<object> { name, pixels, pixels / 16 * (pixels / 16) + 1 };
            foreach (var training in (bool[])[false, true])
            {
                // The peak of two batches, less that of one: what a batch's images take, without model and libtorch.
                var batch = training ? 4 : 8;
                double[] Of(int size) => MeasuredProcess.Run(Child, name, $"{pixels}", $"{size}", $"{training}", $"{options.Threads}", $"{Math.Clamp(options.Rounds / 3, 1, 5)}");
                var (small, large) = (Of(batch), Of(2 * batch));
                cells.Add((2 * batch / large[0]).ToString("F1", CultureInfo.InvariantCulture));
                cells.Add(((large[1] - small[1]) / batch / 1e6).ToString("F1", CultureInfo.InvariantCulture));
            }
            Figures.Row([.. cells]);
        }
    }

    public static int RunChild(string[] arguments)
    {
        var (name, pixels, batch, training) = (arguments[0], int.Parse(arguments[1], CultureInfo.InvariantCulture), int.Parse(arguments[2], CultureInfo.InvariantCulture), bool.Parse(arguments[3]));
        set_num_threads(int.Parse(arguments[4], CultureInfo.InvariantCulture));
        ComputeDevice.TuneProcess();
        using var model = new VisionTransformer(VisionTransformerConfig.Named[name] with { ImageHeight = pixels, ImageWidth = pixels });
        using var optimizer = new AdamW(model);
        using var images = rand(batch, 3, pixels, pixels);
        using var labels = randint(1000, batch);
        model.train(training);
        var times = Duration.InTurns(int.Parse(arguments[5], CultureInfo.InvariantCulture), training ? Train : Infer)[0];
        return MeasuredProcess.Answer(times.Select(it => it.Wall).Median(), MeasuredProcess.Peak());

        void Infer()
        {
            using var scope = NewDisposeScope();
            using var noGradients = inference_mode();
            model.forward(images);
        }

        void Train()
        {
            using var scope = NewDisposeScope();
            optimizer.ZeroGrad();
            nn.functional.cross_entropy(model.forward(images), labels).backward();
            optimizer.Step(1e-3, clipNorm: 1);
        }
    }
}
