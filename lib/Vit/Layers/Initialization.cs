using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>The initial values of the paper's code (google-research/vision_transformer, models_vit.py).</summary>
static class Initialization
{
    /// <summary>Flax's default for a convolution: a truncated normal of variance 1 / fan-in.</summary>
    public static void LecunNormal(Tensor weight, long fanIn)
    {
        // A normal cut off at two deviations has this deviation; the division restores the asked-for variance.
        const double truncatedDeviation = 0.87962566103423978;
        var deviation = Math.Sqrt(1.0 / fanIn) / truncatedDeviation;
        nn.init.trunc_normal_(weight, mean: 0, std: deviation, a: -2 * deviation, b: 2 * deviation);
    }

    /// <summary>Xavier uniform of a [out, in] matrix.</summary>
    /// <param name="linear">The layer; its bias becomes normal with deviation <paramref name="biasDeviation"/>.</param>
    /// <param name="stacked">How many matrices stand above one another in the weight, each with its own fan-out.</param>
    /// <param name="biasDeviation">0 for a zero bias.</param>
    public static void XavierUniform(Linear linear, int stacked = 1, double biasDeviation = 0)
    {
        long fanOut = linear.weight.shape[0] / stacked, fanIn = linear.weight.shape[1];
        var bound = Math.Sqrt(6.0 / (fanIn + fanOut));
        nn.init.uniform_(linear.weight, -bound, bound);
        if (linear.bias is not null)
            nn.init.normal_(linear.bias, 0, biasDeviation);
    }

    /// <summary>Zeros, as of a head before fine-tuning: every class starts with the same probability.</summary>
    public static void Zeros(Linear linear)
    {
        nn.init.zeros_(linear.weight);
        if (linear.bias is not null)
            nn.init.zeros_(linear.bias);
    }
}
