using System.Diagnostics;
using System.Runtime;
using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Tests.Training;

public class TrainerTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    static Trainer Make(nn.Module<Tensor, Tensor> model, Recipe recipe, Func<nn.Module<Tensor, Tensor>>? copy = null) =>
        new(model, Small.Images(90, 1), Small.Images(30, 2), recipe, copy);

    [Fact]
    public void It_learns()
    {
        using var model = Small.Model();
        using var trainer = Make(model, Small.FullRecipe with { Epochs = 25, LearningRate = 1e-2, Mixing = null });
        var epochs = trainer.Run(Stop).ToList();
        Assert.Equal(Enumerable.Range(1, 25), epochs.Select(epoch => epoch.Epoch));
        Assert.Equal(25 * trainer.StepsPerEpoch, epochs[^1].Step);
        Assert.True(epochs[^1].TrainingLoss < epochs[0].TrainingLoss);
        Assert.InRange(trainer.Evaluate(Stop).Top1, 0.9, 1);
        Assert.Equal(epochs.Max(epoch => epoch.Top1), epochs.Last(epoch => epoch.Best).Top1);
        Assert.True(trainer.Done);
        Assert.Empty(trainer.Run(Stop));
    }

    [Fact]
    public void Trains_a_network_of_convolutions_in_bfloat16_too()
    {
        var config = new ConvNetConfig { Channels = 1, Widths = [16, 16, 16], Classes = 3 };
        random.manual_seed(1);
        using var model = new ConvNet(config);
        using var trainer = Make(model, Small.Recipe with { Epochs = 8, EmaDecay = 0.5, Precision = Precision.BFloat16 }, () => new ConvNet(config));
        var epochs = trainer.Run(Stop).ToList();
        Assert.InRange(epochs[^1].Top1, 0.9, 1);
        Assert.All(model.parameters(), parameter => Assert.Equal(ScalarType.Float32, parameter.dtype));
        Assert.Contains(model.named_buffers(), it => it.name.EndsWith("running_mean", StringComparison.Ordinal) && it.buffer.abs().sum().item<float>() > 0);
    }

    [Fact]
    public void A_bfloat16_copy_learns_what_float32_learns()
    {
        var recipe = Small.Recipe with { Epochs = 1, LearningRate = 1e-3 };
        var plain = Small.Config with { DropPath = 0 };
        using var a = new VisionTransformer(plain);
        using var b = new VisionTransformer(plain);
        b.load_state_dict(a.state_dict());
        using var trainA = Make(a, recipe);
        using var trainB = Make(b, recipe with { Precision = Precision.BFloat16 }, () => new VisionTransformer(plain));
        var (lossA, lossB) = (trainA.Run(Stop).Single().TrainingLoss, trainB.Run(Stop).Single().TrainingLoss);
        Assert.InRange(lossB, lossA - 0.02, lossA + 0.02);
        Assert.NotEqual(Small.Bits(a), Small.Bits(b));
    }

    [Theory]
    [InlineData(ScalarType.Float32, Precision.BFloat16)]
    [InlineData(ScalarType.BFloat16, Precision.Float32)]
    public void The_faster_precision_is_measured_once_and_kept(ScalarType slow, Precision expected)
    {
        using var folder = new TemporaryFolder();
        var recipe = Small.Recipe with { Epochs = 2, Precision = Precision.Fastest };
        using var ballast = rand(512, 512);

        // In one of the two each step also multiplies large matrices.
        TrainingLoss Slower(ScalarType slow) => (model, images, targets) =>
        {
            for (var i = 0; i < 40 && images.dtype == slow; i++)
                ballast.mm(ballast).Dispose();
            return Trainer.CrossEntropy(model, images, targets);
        };

        using var model = Small.Model();
        using (var trainer = Make(model, recipe, Slower(slow)))
        {
            Assert.Equal(Precision.Fastest, trainer.Precision);
            trainer.Run(Stop).First();
            Assert.Equal(expected, trainer.Precision);
        }
        // Now the other one is faster.
        using var again = Make(model, recipe, Slower(slow == ScalarType.Float32 ? ScalarType.BFloat16 : ScalarType.Float32));
        Assert.Equal(2, again.Run(Stop).Last().Epoch);
        Assert.Equal(expected, again.Precision);

        // Measuring changes nothing of the training.
        using var stated = Small.Model();
        using var same = new Trainer(stated, Small.Images(90, 1), Small.Images(30, 2), recipe with { Precision = expected }, () => new VisionTransformer(Small.Config));
        Assert.Equal(2, same.Run(Stop).Last().Epoch);
        Assert.Equal(Small.Bits(stated), Small.Bits(model));

        Trainer Make(VisionTransformer model, Recipe recipe, TrainingLoss loss) =>
            new(model, Small.Images(90, 1), Small.Images(30, 2), recipe, () => new VisionTransformer(Small.Config))
            {
                Checkpoints = new CheckpointFolder(folder["training"]),
                Loss = loss,
            };
    }

    [Fact]
    public void A_batch_in_parts_has_the_gradient_of_the_whole()
    {
        var config = Small.Config with { DropPath = 0 };
        using var whole = new VisionTransformer(config);
        using var parts = new VisionTransformer(config);
        parts.load_state_dict(whole.state_dict());
        // 90 images in batches of 10, these in parts of 3, 3, 3 and 1. With so large an ε a step is as long as its gradient.
        var recipe = Small.Recipe with { Epochs = 1, BatchSize = 10, MaxGradNorm = null, Epsilon = 1, LearningRate = 1, WarmUpEpochs = 0, WeightDecay = 0 };
        var before = whole.parameters().Select(parameter => parameter.detach().clone()).ToArray();
        using var first = Make(whole, recipe);
        using var second = Make(parts, recipe with { GradientAccumulationSteps = 4 });
        first.Run(Stop).Single();
        second.Run(Stop).Single();
        foreach (var (expected, actual) in whole.parameters().Zip(parts.parameters()))
            Close.Equal(expected, actual, 2e-5);
        Assert.Contains(whole.parameters().Zip(before), it => Close.LargestDifference(it.First, it.Second) > 0.01);
    }

    [Fact]
    public void It_follows_its_recipe_and_reports_what_it_did()
    {
        var recipe = Small.FullRecipe with { GradientAccumulationSteps = 1, Beta1 = 0.8, Beta2 = 0.95, Epochs = 2 };
        using var scope = NewDisposeScope();
        using var model = Small.Model();
        var (seen, right) = (new List<(Tensor Images, Tensor Targets)>(), 0L);
        var progress = new List<TrainingProgress>();
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), recipe)
        {
            Loss = (m, images, targets) =>
            {
                var (loss, logits) = Trainer.CrossEntropy(m, images, targets);
                seen.Add((images.clone().DetachFromDisposeScope(), targets.clone().DetachFromDisposeScope()));
                right += logits.argmax(1).eq(targets.argmax(1)).sum().item<long>();
                return (loss, logits);
            },
            Progress = new Told(progress.Add),
        };
        var record = trainer.Run(Stop).First();

        var stream = new BatchStream(Small.Images(90, 1), recipe.BatchSize, recipe.Seed, recipe.Augmentation, recipe.Mixing) { LabelSmoothing = recipe.LabelSmoothing };
        Assert.Equal(stream.StepsPerEpoch, seen.Count);
        foreach (var batch in stream.Epoch(0))
        {
            Assert.Equal(batch.Images.data<float>().ToArray(), seen[batch.Step].Images.data<float>().ToArray());
            Assert.Equal(batch.Targets.data<float>().ToArray(), seen[batch.Step].Targets.data<float>().ToArray());
        }
        foreach (var (images, targets) in seen)
        {
            images.Dispose();
            targets.Dispose();
        }

        Assert.Equal(right / 90.0, record.TrainingTop1);
        Assert.InRange(record.TrainingTop1, 0.1, 1);
        Assert.Equal(recipe.LearningRateAt(5, 12), record.LearningRate);
        Assert.Equal((1, 2, 6, 6), (progress[^1].Epoch, progress[^1].Epochs, progress[^1].Step, progress[^1].Steps));
        Assert.Equal(record.TrainingTop1, progress[^1].Top1);
        // The steps that are left, at the rate so far; the last batch is the smaller one.
        Assert.All(progress, it => Assert.Equal((12 - it.Step) * (it.Step < 6 ? 16.0 : 15.0), it.Remaining.TotalSeconds * it.ImagesPerSecond, 0.1));
    }

    sealed class Told(Action<TrainingProgress> hear) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => hear(value);
    }

    [Fact]
    public void Stops_early_when_nothing_gets_better()
    {
        using var model = Small.Model();
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), Small.Recipe with { Epochs = 50, Patience = 2 })
        {
            Loss = (m, images, targets) =>
            {
                var logits = m.forward(images);
                return (logits.sum() * 0, logits);
            },
        };
        Assert.Equal(3, trainer.Run(Stop).Count());
    }

    [Fact]
    public void After_an_epoch_the_model_holds_the_weights_of_which_the_record_tells()
    {
        using var model = Small.Model();
        using var trainer = Make(model, Small.FullRecipe);
        var validation = Small.Images(30, 2);
        var bits = new List<byte[]>();
        foreach (var epoch in trainer.Run(Stop))
        {
            Assert.Equal(epoch.ValidationLoss, Evaluation.Of(model, validation, batchSize: 8, cancellation: Stop).Loss);
            bits.Add(Small.Bits(model));
        }
        Assert.Equal(bits[^1], Small.Bits(model));
        // What is looked at in between changes nothing: the next step goes on from its own weights.
        using var other = Small.Model();
        using var undisturbed = Make(other, Small.FullRecipe);
        Assert.Equal(3, undisturbed.Run(Stop).Count());
        Assert.Equal(bits[^1], Small.Bits(other));
        using var last = Small.Model();
        using var kept = Make(last, Small.FullRecipe with { EmaDecay = 0 });
        kept.Run(Stop).Count();
        Assert.NotEqual(bits[^1], Small.Bits(last));
    }

    [Fact]
    public void Neither_making_nor_running_one_changes_the_process()
    {
        using var model = Small.Model();
        random.manual_seed(7);
        var threads = get_num_threads();
        using var trainer = Make(model, Small.FullRecipe with { Epochs = 1 });
        trainer.Run(Stop).Single();
        Assert.Equal(threads, get_num_threads());
        using var after = rand(3);
        random.manual_seed(7);
        using var expected = rand(3);
        Assert.Equal(expected.data<float>(), after.data<float>());
        Assert.False(backends.cuda.matmul.allow_tf32);
    }

    [Fact]
    public void Batch_statistics_do_not_pass_through_bfloat16()
    {
        var config = new ConvNetConfig { Channels = 1, Widths = [16, 16, 16], Classes = 3 };
        random.manual_seed(1);
        using var model = new ConvNet(config);
        using var trainer = Make(model, Small.Recipe with { Epochs = 1, Precision = Precision.BFloat16 }, () => new ConvNet(config));
        trainer.Run(Stop).Single();
        using var statistics = model.bn.running_var!.clone();
        Assert.False(statistics.to(bfloat16).to(float32).Equals(statistics), "the statistics are those that bfloat16 can hold");
    }

    [Fact]
    public void What_will_not_do_is_refused()
    {
        using var model = Small.Model();
        Assert.Equal("Epochs", Assert.Throws<ArgumentException>(() => Make(model, Small.Recipe with { Epochs = 0 })).ParamName);
        Assert.Equal("copy", Assert.Throws<ArgumentException>(() => Make(model, Small.Recipe with { Precision = Precision.BFloat16 })).ParamName);
        Assert.Equal("copy", Assert.Throws<ArgumentException>(() =>
            Make(model, Small.Recipe with { Precision = Precision.BFloat16 }, () => new VisionTransformer(Small.Config with { Width = 32 }))).ParamName);
        Assert.Equal("training", Assert.Throws<ArgumentException>(() => new Trainer(model, Small.Images(3, 0).Select([]), Small.Images(3, 0), Small.Recipe)).ParamName);
        var four = new ImageSet(Small.Images(3, 0).Images, zeros(3, int64), ["a", "b", "c", "d"]);
        var refused = Assert.Throws<ArgumentException>(() => new Trainer(model, four, four, Small.Recipe));
        Assert.Equal("model", refused.ParamName);
        Assert.Contains("of 4 classes", refused.Message);
        Assert.Contains("[1, 3]", refused.Message);
        var set = Small.Images(3, 0);
        var unlike = new ImageSet(set.Images, set.Labels, set.ClassNames, Normalization.Half);
        Assert.Equal("validation", Assert.Throws<ArgumentException>(() => new Trainer(model, set, unlike, Small.Recipe)).ParamName);
        var renamed = new ImageSet(set.Images, set.Labels, ["a", "b", "c"], set.Preprocessing.Normalization);
        Assert.Contains("different classes", Assert.Throws<ArgumentException>("validation", () => new Trainer(model, set, renamed, Small.Recipe)).Message);
        using var linear = nn.Sequential(nn.Linear(7, 3));
        Assert.Contains("[1, 1, 12, 12]", Assert.Throws<ArgumentException>("model", () => new Trainer(linear, set, set, Small.Recipe)).Message);
        if (!cuda.is_available())
            Assert.Throws<InvalidOperationException>(() => Make(model, Small.Recipe with { Device = "cuda" }));
    }

    /// <summary>Tells which positions are read at once; those from <paramref name="whole"/> on cannot be, and are skipped.</summary>
    sealed class Overheard(ImageSet set, int whole) : IImageSource
    {
        public List<long[]> Read { get; } = [];

        public int Count => set.Count;

        public IReadOnlyList<string> ClassNames => set.ClassNames;

        public Preprocessing Preprocessing => set.Preprocessing;

        (Tensor Images, Tensor Labels) IImageSource.Read(long[] positions, RandomCrop? crop)
        {
            Read.Add(positions);
            return set.Read([.. positions.Where(position => position < whole)]);
        }
    }

    [Fact]
    public void Validates_with_no_more_images_at_a_time_than_it_computes_in_training()
    {
        using var model = Small.Model();
        var validation = new Overheard(Small.Images(30, 2), 30);
        using var trainer = new Trainer(model, Small.Images(90, 1), validation, Small.Recipe with { GradientAccumulationSteps = 3 });
        trainer.Evaluate(Stop);
        Assert.Equal([6, 6, 6, 6, 6], validation.Read.Select(positions => positions.Length));
    }

    [Fact]
    public void Batches_that_cannot_be_read_are_no_steps_and_training_goes_on()
    {
        using var model = Small.Model();
        var training = new Overheard(Small.Images(12, 1), whole: 11);
        using var trainer = new Trainer(model, training, Small.Images(30, 2), Small.Recipe with { BatchSize = 1 });
        Assert.Equal([11, 22, 33], trainer.Run(Stop).Select(epoch => (int)epoch.Step));
        using var blind = new Trainer(model, new Overheard(Small.Images(12, 1), whole: 0), Small.Images(30, 2), Small.Recipe);
        Assert.Contains("can be read", Assert.Throws<InvalidDataException>(() => blind.Run(Stop).Count()).Message);
    }

    [Fact]
    public void The_collector_runs_between_steps_only()
    {
        using var model = Small.Model();
        var modes = new HashSet<GCLatencyMode>();
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), Small.Recipe with { Epochs = 1 })
        {
            Loss = (m, images, targets) =>
            {
                modes.Add(GCSettings.LatencyMode);
                return Trainer.CrossEntropy(m, images, targets);
            },
        };
        trainer.Run(Stop).Single();
        Assert.Equal([GCLatencyMode.NoGCRegion], modes);
        Assert.NotEqual(GCLatencyMode.NoGCRegion, GCSettings.LatencyMode);
    }

    [Fact]
    public void What_is_not_finite_is_named()
    {
        using var model = Small.Model();
        // A source that makes what a set would refuse.
        using var trainer = new Trainer(model, new Poisoned(Small.Images(90, 1)), Small.Images(30, 2), Small.Recipe);
        var poisoned = Assert.Throws<DivergedException>(() => trainer.Run(Stop).First());
        Assert.Contains("image 2 of 16 is not finite", poisoned.Message);
        Assert.DoesNotContain("learning rate", poisoned.Message);
        Assert.Null(poisoned.Layer);
        Assert.Contains("image 2 of 16", Assert.Throws<InvalidDataException>(() => Evaluation.Of(model, new Poisoned(Small.Images(90, 1)), 16, Stop)).Message);

        // The last batch of 13 in fours has one image, whose last map has one pixel.
        using var convNet = new ConvNet(new() { Channels = 1, Widths = [16, 16, 16, 16, 16], Classes = 3 });
        var thirteen = Small.Images(13, 1);
        using var single = new Trainer(convNet, thirteen, thirteen, Small.Recipe with { BatchSize = 4 });
        var statistics = Assert.Throws<DivergedException>(() => single.Run(Stop).First());
        Assert.Contains("a single image", statistics.Message);
        Assert.EndsWith("running_var", statistics.Layer);
        Assert.DoesNotContain("learning rate", statistics.Message);
    }

    sealed class Poisoned(ImageSet set) : IImageSource
    {
        public int Count => set.Count;

        public IReadOnlyList<string> ClassNames => set.ClassNames;

        public Preprocessing Preprocessing => set.Preprocessing;

        public (Tensor Images, Tensor Labels) Read(long[] positions, RandomCrop? crop)
        {
            var (images, labels) = set.Read(positions);
            images[2, 0, 3, 3] = double.NaN;
            return (images, labels);
        }
    }

    [Fact]
    public void What_steps_leave_to_the_collector_does_not_add_up()
    {
        using var model = Small.Model();
        using var trainer = new Trainer(model, Small.Images(800, 1), Small.Images(10, 2), Small.FullRecipe with { Epochs = 10, BatchSize = 4 });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var allocated = GC.GetTotalAllocatedBytes();
        var most = trainer.Run(Stop).Max(_ => GC.GetTotalMemory(forceFullCollection: false)) - before;
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        Assert.True(most < allocated / 3, $"of {allocated:N0} bytes that were allocated, {most:N0} were still there");
    }

    [Fact]
    public void Two_thousand_steps_take_the_memory_of_two_hundred()
    {
        // What a process takes once, compiled code above all, is taken before.
        foreach (var _ in Measure(epochs: 3))
        {
        }
        var measured = Measure(epochs: 10).ToList();
        Assert.Equal(measured[0].Tensors, measured[^1].Tensors);
        Assert.True(measured[^1].Bytes <= 1.02 * measured[0].Bytes, $"{string.Join(", ", measured.Select(it => it.Bytes))} bytes after 200, 400 … steps");

        static IEnumerable<(long Tensors, long Bytes)> Measure(int epochs)
        {
            using var folder = new TemporaryFolder();
            using var model = Small.Model();
            using var trainer = new Trainer(model, Small.Images(800, 1), Small.Images(10, 2), Small.FullRecipe with { Epochs = epochs, BatchSize = 4 })
            {
                Checkpoints = new CheckpointFolder(folder.FullName, keep: 1),
                CheckpointSteps = 50,
            };
            Assert.Equal(200, trainer.StepsPerEpoch);
            foreach (var _ in trainer.Run(Stop))
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                // Gives back to the system what the collector keeps for later, as well.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                yield return (Tensor.TotalCount, Process.GetCurrentProcess().WorkingSet64);
            }
        }
    }
}
