using TorchSharp.Modules;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>What the head reads in a model without a class token.</summary>
    /// <param name="pool">From tokens [B, N, D] and the last norm to [B, D].</param>
    public static string MeanPool(Func<Tensor, LayerNorm, Tensor> pool)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var model = Apart(() => new VisionTransformer(VisionTransformerConfig.Micro with { Pooling = Pooling.Mean }));
        using (no_grad())
            foreach (var parameter in model.parameters())
                parameter.copy_(0.2 * randn(parameter.shape, generator: generator));
        var norm = model.fc_norm!;
        var trace = model.Trace(randn([2, 3, 32, 32], generator: generator));
        var tokens = trace.Blocks[^1].Tokens;
        var yours = pool(tokens, norm);
        if (!yours.shape.SequenceEqual(trace.Features.shape))
            return WrongShape(yours, $"[B, D] = {Shape.Of(trace.Features)}");
        if (Same(yours, trace.Features))
            return "Right: the same features as the library's model with mean pooling.";
        if (Same(yours, norm.forward(tokens).mean([1])))
            return "Not yet: the norm comes after the mean, not before it.";
        if (Same(yours, tokens.mean([1])))
            return "Not yet: the norm is missing.";
        return Same(yours, norm.forward(tokens.select(1, 0)))
            ? "Not yet: this still reads the first token alone."
            : "Not yet: over which dimension does the mean go, and what comes after it?";
    }

    /// <summary>The share of L/16's parameters that stands in its encoder blocks.</summary>
    /// <param name="share">From 0 to 1.</param>
    public static string ShareOfTheBlocks(double share)
    {
        var c = VisionTransformerConfig.L16;
        double D = c.Width, M = c.MlpWidth, tokens = c.Tokens;
        var matrices = c.Layers * (4 * D * D + 4 * D + 2 * D * M + M + D);
        var blocks = matrices + c.Layers * 4 * D;
        var all = blocks + 2 * D + (c.Channels * c.PatchSize * c.PatchSize + 1) * D + D + tokens * D + (D + 1) * c.Classes;
        bool Is(double other) => Math.Abs(share - other) < 1e-6;
        if (Is(blocks / all))
            return $"Right: {100 * blocks / all:F2} %.";
        if (share is <= 0 or > 1)
            return "Not yet: a share lies between 0 and 1.";
        if (Is(matrices / all))
            return "Not yet: the two norms of each block belong to it.";
        return Is((blocks + 2 * D) / all)
            ? "Not yet: the last norm of the model belongs to no block."
            : "Not yet: which rows of the table above stand in blocks, and what is the whole?";
    }
}
