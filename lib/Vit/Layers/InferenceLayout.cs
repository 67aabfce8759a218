using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>How the weights of linear layers lie in memory.</summary>
public static class InferenceLayout
{
    /// <summary>
    /// Lays the weights of a model's linear layers out column by column: a single image is through sooner on a CPU, because
    /// oneDNN need not turn them round for each product. For larger batches it makes no difference. Names, shapes and values
    /// stay as they are, and training, saving and loading go on as before.
    /// </summary>
    /// <param name="model">
    /// On the CPU; layers elsewhere are left alone. Views of its weights that were taken before are no longer of its weights.
    /// </param>
    public static void Apply(nn.Module model)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        // A layer that widens more than threefold, the first of an MLP, is a little faster as it is.
        foreach (var weight in model.modules().OfType<Linear>().Select(layer => layer.weight!))
            if (weight.device_type == DeviceType.CPU && weight.shape[0] <= 3 * weight.shape[1])
                weight.set_(weight.t().contiguous().t());
    }
}
