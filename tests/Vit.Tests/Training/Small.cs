using Vit.Data;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Tests.Training;

/// <summary>A training that takes a second: a bright bar at the top, in the middle or at the bottom.</summary>
static class Small
{
    public static VisionTransformerConfig Config { get; } = new()
    {
        ImageHeight = 12,
        ImageWidth = 12,
        Channels = 1,
        PatchSize = 4,
        Layers = 2,
        Width = 16,
        MlpWidth = 32,
        Heads = 2,
        Classes = 3,
        DropPath = 0.1,
    };

    public static Recipe Recipe { get; } = new() { Epochs = 3, BatchSize = 16, LearningRate = 3e-3, Seed = 5, Device = "cpu" };

    /// <summary>Everything that a recipe can switch on.</summary>
    public static Recipe FullRecipe { get; } = Recipe with
    {
        GradientAccumulationSteps = 2,
        LabelSmoothing = 0.1,
        EmaDecay = 0.9,
        Augmentation = new() { CropPadding = 1, HorizontalFlip = true, ErasingProbability = 0.2 },
        Mixing = new() { MixUpAlpha = 0.2, CutMixAlpha = 1, Probability = 0.5 },
        WarmUpEpochs = 0.5,
    };

    public static ImageSet Images(int count, int seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var images = rand([count, 1, 12, 12], generator: generator) * 0.5;
        var labels = arange(count).remainder(3);
        for (var i = 0; i < count; i++)
            images[i, 0].narrow(0, 4 * (i % 3), 4).add_(0.4);
        return new(images.MoveToOuterDisposeScope(), labels.to(int64).MoveToOuterDisposeScope(), ["top", "middle", "bottom"], new([0.5f], [0.25f]));
    }

    public static VisionTransformer Model(int seed = 1)
    {
        random.manual_seed(seed);
        return new VisionTransformer(Config);
    }

    /// <summary>The weights as bytes, in order.</summary>
    public static byte[] Bits(nn.Module model)
    {
        using var bytes = new MemoryStream();
        foreach (var tensor in model.state_dict().Values)
            bytes.Write(tensor.contiguous().bytes);
        return bytes.ToArray();
    }
}
