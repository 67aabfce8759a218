using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Vit.Data;
using Vit.Interactive;
using Vit.Models;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

namespace Clients.Tests;

/// <summary>notebooks/scale-out: a training goes over to PyTorch, two processes on loopback, and comes back.</summary>
public sealed partial class ScaleOutTests : IDisposable
{
    const int Images = 300, Steps = 10;

    static readonly VisionTransformerConfig Config = new() { ImageHeight = 28, ImageWidth = 28, Channels = 1, PatchSize = 7, Layers = 2, Width = 32, MlpWidth = 64, Heads = 4, Classes = 10 };

    // Five batches an epoch, of which the last has 44 images. The bias of the keys has no gradient but for rounding, which Adam would make steps of.
    static readonly Recipe Recipe = new() { Epochs = 2, BatchSize = 64, LearningRate = 1e-3, WarmUpEpochs = 0.5, LabelSmoothing = 0.1, EmaDecay = 0.9, Epsilon = 1e-6, Seed = 7, Device = "cpu" };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("scale-out-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(Pooling.ClassToken)]
    [InlineData(Pooling.Mean)]
    public async Task A_training_goes_on_in_two_processes_of_PyTorch_as_it_would_here(Pooling pooling)
    {
        var python = Programs.Python("torch, numpy", "python3-torch");
        random.manual_seed(1);
        using var model = new VisionTransformer(Config with { Pooling = pooling });
        using (no_grad())
        {
            // A fresh head is zero, and would hide what comes before it.
            model.head!.weight!.normal_(0, 0.1);
        }

        var handedOver = PathOf("model");
        Pretrained.SaveAsTimm(model, handedOver, FashionMnist.ClassNames, new Preprocessing { Height = 28, Width = 28, Channels = 1, Normalization = FashionMnist.Normalization });
        await File.WriteAllTextAsync(PathOf("recipe.json"), Recipe.ToJson(), TestContext.Current.CancellationToken);
        var data = DataFolder.PathTo("fashion-mnist");
        var test = FashionMnist.Load(Split.Test, data);
        var first = FashionMnist.Normalization.Apply(test.Images[..1] / 255f);

        // Handed over, it says the same.
        var untrained = await Train(python, handedOver, data, "untrained", "--steps", "0");
        Close(Answer(model, first), Logits(untrained), 1e-5);

        // Ten steps in each.
        var trained = await Train(python, handedOver, data, "trained", "--images", $"{Images}");
        var images = FashionMnist.Load(Split.Train, data).Select(Enumerable.Range(0, Images).Select(i => (long)i));
        using var trainer = new Trainer(model, images, test.Select([0, 1]), Recipe);
        var epochs = trainer.Run(TestContext.Current.CancellationToken).ToArray();
        Assert.Equal(Steps, epochs[^1].Step);
        using var back = Pretrained.Load<VisionTransformer>(PathOf("trained"));
        var expected = model.state_dict();
        foreach (var (name, found) in back.Model.state_dict())
            Close(expected[name], found, 1e-4);
        Close(Answer(model, first), Logits(trained), 1e-3);

        // The loss is that of all images, not of one process's share.
        var losses = Loss().Matches(trained).Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(Recipe.Epochs, losses.Length);
        foreach (var (epoch, loss) in losses.Index())
            Assert.Equal(epochs[epoch].TrainingLoss, loss, 0.05);

        // Back here, it knows as many images.
        var accuracy = double.Parse(Accuracy().Match(trained).Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.Equal(accuracy, 100 * Evaluation.Of(back.Model, test, cancellation: TestContext.Current.CancellationToken).Top1, 0.02);
        Assert.Equal(FashionMnist.ClassNames, back.ClassNames);
    }

    [Fact]
    public async Task The_images_come_in_the_order_of_NET_whatever_the_seed()
    {
        var python = Programs.Python("torch, numpy", "python3-torch");
        // A third of all seeds lets the generator's start go beyond 32 bits.
        int[] seeds = [0, 1, -1, int.MinValue, int.MaxValue, 161_803_398, 161_803_399, .. Enumerable.Range(0, 50).Select(i => unchecked(i * 655_836_361))];
        const string Program = """
            import sys
            sys.dont_write_bytecode = True
            sys.path.insert(0, sys.argv[1])
            import train
            for seed in sys.argv[2:]:
                print(*train.NetRandom(int(seed)).shuffle(list(range(60))))
            """;

        var (code, output) = await Programs.Run(
            new ProcessStartInfo(python, ["-c", Program, Path.Combine(TheSeries.Root, "notebooks", "scale-out"), .. seeds.Select(seed => $"{seed}")]), TimeSpan.FromMinutes(2));

        Assert.True(code == 0, output);
        Assert.Equal(seeds.Select(Shuffled), output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim()));

        static string Shuffled(int seed)
        {
            var order = Enumerable.Range(0, 60).ToArray();
            new Random(seed).Shuffle(order);
            return string.Join(' ', order);
        }
    }

    [Fact]
    public async Task What_is_not_handed_over_is_refused_by_name()
    {
        var python = Programs.Python("torch, numpy", "python3-torch");
        using var model = new VisionTransformer(Config);
        Pretrained.SaveAsTimm(model, PathOf("model"));
        await File.WriteAllTextAsync(PathOf("recipe.json"), (Recipe with { Augmentation = new() { HorizontalFlip = true } }).ToJson(), TestContext.Current.CancellationToken);

        var (code, output) = await Run(python, PathOf("model"), DataFolder.PathTo("fashion-mnist"), "refused");

        Assert.NotEqual(0, code);
        Assert.Contains("Augmentation is not handed over", output);
        Assert.False(Directory.Exists(PathOf("refused")));
    }

    [Fact]
    public async Task A_model_that_is_no_plain_ViT_is_refused_by_name()
    {
        var python = Programs.Python("torch, numpy", "python3-torch");
        foreach (var config in new[] { Config with { LayerScale = 0.1 }, Config with { Distilled = true }, Config with { Positions = Vit.Layers.PositionKind.None } })
        {
            using var model = new VisionTransformer(config);
            Pretrained.SaveAsTimm(model, PathOf("model"));
            await File.WriteAllTextAsync(PathOf("recipe.json"), Recipe.ToJson(), TestContext.Current.CancellationToken);

            var (code, output) = await Run(python, PathOf("model"), DataFolder.PathTo("fashion-mnist"), "refused");

            Assert.NotEqual(0, code);
            Assert.Contains("expected a plain ViT", output);
        }

        Assert.False(Directory.Exists(PathOf("refused")));
    }

    async Task<string> Train(string python, string model, string data, string output, params string[] more)
    {
        var (code, said) = await Run(python, model, data, output, more);
        Assert.True(code == 0, said);
        return said;
    }

    Task<(int Code, string Output)> Run(string python, string model, string data, string output, params string[] more)
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        var start = new ProcessStartInfo(python,
        [
            // What its processes print is named: the default, 0, is unknown to torch 1.13 under Python 3.11, which Debian 12 has.
            "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_addr", "127.0.0.1", "--master_port", $"{port}", "--redirects", "1", "--tee", "1", "--log_dir", PathOf("logs"),
            Path.Combine(TheSeries.Root, "notebooks", "scale-out", "train.py"),
            "--model", model, "--recipe", PathOf("recipe.json"), "--data", data, "--output", PathOf(output), .. more,
        ]);
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["GLOO_SOCKET_IFNAME"] = "lo";
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        return Programs.Run(start, TimeSpan.FromMinutes(10));
    }

    string PathOf(string name) => Path.Combine(_folder.FullName, name);

    static Tensor Answer(VisionTransformer model, Tensor image)
    {
        model.eval();
        using var noGradients = no_grad();
        return model.call(image)[0];
    }

    static Tensor Logits(string output) =>
        tensor(LogitsLine().Match(output).Groups[1].Value.Split(' ').Select(number => float.Parse(number, CultureInfo.InvariantCulture)).ToArray());

    static void Close(Tensor expected, Tensor found, double tolerance) => Assert.InRange((expected - found).abs().max().item<float>(), 0, tolerance);

    [GeneratedRegex("logits of the first test image ([-0-9. ]+)")]
    private static partial Regex LogitsLine();

    [GeneratedRegex(@"training loss ([0-9.]+), 2 processes")]
    private static partial Regex Loss();

    [GeneratedRegex(@"([0-9.]+) % of 10000 test images")]
    private static partial Regex Accuracy();
}
