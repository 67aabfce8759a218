using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>The initial values of the paper's code (google-research/vision_transformer, models_vit.py).</summary>
static class Initialization
{
    [ThreadStatic]
    static bool skipped;

    /// <summary>Creates a model whose weights will be read from a file: no matrix is drawn, memory alone is taken for it.</summary>
    public static T Skipped<T>(Func<T> create)
    {
        skipped = true;
        try
        {
            return create();
        }
        finally
        {
            skipped = false;
        }
    }

    /// <summary>A linear layer as libtorch initialises it.</summary>
    public static Linear Linear(int inputs, int outputs, bool bias = true)
    {
        if (!skipped)
            return nn.Linear(inputs, outputs, hasBias: bias);
        // A layer without memory draws nothing.
        var layer = nn.Linear(inputs, outputs, hasBias: bias, device: META);
        layer.weight = nn.Parameter(empty(outputs, inputs));
        if (bias)
            layer.bias = nn.Parameter(empty(outputs));
        return layer;
    }

    /// <summary>Flax's default for a convolution: a normal of variance 1 / fan-in, cut off at two deviations.</summary>
    /// <remarks>Drawn through the inverse of the distribution: TorchSharp 0.107's trunc_normal_ leaves almost zeros.</remarks>
    public static void LecunNormal(Tensor weight, long fanIn)
    {
        const double shareWithinTwoDeviations = 0.95449973610364158;
        const double deviationAfterTheCut = 0.87962566103423978;
        using (no_grad())
            nn.init.uniform_(weight, -shareWithinTwoDeviations, shareWithinTwoDeviations)
                .erfinv_()
                .mul_(Math.Sqrt(2.0 / fanIn) / deviationAfterTheCut);
    }

    /// <summary>Xavier uniform of a [out, in] matrix.</summary>
    /// <param name="linear">The layer; its bias becomes normal with deviation <paramref name="biasDeviation"/>.</param>
    /// <param name="stacked">How many matrices stand above one another in the weight, each with its own fan-out.</param>
    /// <param name="biasDeviation">0 for a zero bias.</param>
    public static void XavierUniform(Linear linear, int stacked = 1, double biasDeviation = 0)
    {
        if (skipped)
            return;
        long fanOut = linear.weight.shape[0] / stacked, fanIn = linear.weight.shape[1];
        var bound = Math.Sqrt(6.0 / (fanIn + fanOut));
        nn.init.uniform_(linear.weight, -bound, bound);
        if (linear.bias is not null)
            nn.init.normal_(linear.bias, 0, biasDeviation);
    }

    /// <summary>A normal around 0, the bias 0.</summary>
    public static void Normal(Linear linear, double deviation)
    {
        if (skipped)
            return;
        nn.init.normal_(linear.weight, 0, deviation);
        if (linear.bias is not null)
            nn.init.zeros_(linear.bias);
    }

    /// <summary>A head of zeros, as before fine-tuning: every class starts with the same probability.</summary>
    /// <returns>Weight [K, D]; null without classes.</returns>
    public static Linear? Head(int width, int classes)
    {
        if (classes == 0)
            return null;
        var head = Linear(width, classes);
        nn.init.zeros_(head.weight);
        nn.init.zeros_(head.bias!);
        return head;
    }

    /// <summary>Puts a fresh head in the place of a model's, of the type and on the device of its other parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number of classes is negative.</exception>
    public static Linear? ResetHead(nn.Module model, string name, int width, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(classes);
        var like = model.parameters().First();
        var head = Head(width, classes)?.to(like.device, like.dtype);
        // Without a module, the name is free again.
        model.register_module(name, null!);
        if (head is not null)
            model.register_module(name, head);
        return head;
    }
}
