using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using Vit.Layers;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>The same weights and images by Vit and by ONNX Runtime.</summary>
static class AgainstOnnxRuntime
{
    public static void Run(Options options)
    {
        var config = options.Quick ? VisionTransformerConfig.Ti16 : VisionTransformerConfig.B16;
        var path = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.onnx");
        try
        {
            using var scope = NewDisposeScope();
            using var noGradients = inference_mode();
            manual_seed(1);
            var single = new VisionTransformer(config);
            nn.init.normal_(single.head!.weight!, 0, 0.02);
            single.eval();
            var half = new VisionTransformer(config);
            half.load_state_dict(single.state_dict());
            half.bfloat16();
            half.eval();
            OnnxExport.Save(single, path);
            ComputeDevice.TuneProcess();
            InferenceLayout.Apply(single);
            InferenceLayout.Apply(half);
            using var sessionOptions = new SessionOptions { IntraOpNumThreads = options.Threads, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
            // Threads that wait by turning take the cores from libtorch's turn.
            sessionOptions.AddSessionConfigEntry("session.intra_op.allow_spinning", options.Threads > 1 ? "1" : "0");
            sessionOptions.AddSessionConfigEntry("session.force_spinning_stop", "1");
            using var session = new InferenceSession(path, sessionOptions);
            using var runOptions = new RunOptions();

            Figures.Header("threads", "batch", "ONNX Runtime float32, ms", "Vit float32, ms", "Vit bfloat16, ms",
                "float32 ratio, clock", "float32 ratio, processor", "bfloat16 ratio, clock", "bfloat16 ratio, processor", "same class, of the batch");
            foreach (var batch in (int[])[1, 8])
            {
                using var inner = NewDisposeScope();
                var images = rand(batch, 3, 224, 224);
                var halfImages = images.to(bfloat16);
                using var input = OrtValue.CreateTensorValueFromMemory(images.data<float>().ToArray(), images.shape);
                long[] Top(Tensor logits) => logits.argmax(1).data<long>().ToArray();
                long[] theirs = [], ours = [], ourHalf = [];
                void Theirs()
                {
                    using var outputs = session.Run(runOptions, ["images"], [input], ["logits"]);
                    using var logits = tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray(), [batch, config.Classes]);
                    theirs = Top(logits);
                }
                var times = Duration.InTurns(options.Rounds, Theirs, () => ours = In(() => Top(single.forward(images))), () => ourHalf = In(() => Top(half.forward(halfImages))));
                Figures.Row(options.Threads, batch, Figures.Milliseconds(times[0]), Figures.Milliseconds(times[1]), Figures.Milliseconds(times[2]),
                    Figures.Ratio(times[1], times[0], it => it.Wall), Figures.Ratio(times[1], times[0], it => it.Processor),
                    Figures.Ratio(times[2], times[0], it => it.Wall), Figures.Ratio(times[2], times[0], it => it.Processor),
                    $"float32 {Same(theirs, ours)}, bfloat16 {Same(theirs, ourHalf)}");
            }
        }
        finally
        {
            File.Delete(path);
        }

        static int Same(long[] theirs, long[] ours) => theirs.Zip(ours).Count(pair => pair.First == pair.Second);

        static T In<T>(Func<T> action)
        {
            using var scope = NewDisposeScope();
            return action();
        }
    }
}
