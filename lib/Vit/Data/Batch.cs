using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>One step's images and what the model should say about them.</summary>
public sealed class Batch : IDisposable
{
    internal Batch(int step, Tensor images, Tensor labels, Tensor targets) =>
        (Step, Images, Labels, Targets) = (step, images, labels, targets);

    /// <summary>The step within its epoch, from 0.</summary>
    public int Step { get; }

    /// <summary>[B, C, H, W], float32, augmented, normalised and mixed.</summary>
    public Tensor Images { get; }

    /// <summary>[B], int64: the classes of the images before they were mixed.</summary>
    public Tensor Labels { get; }

    /// <summary>[B, K], float32: smoothed, and mixed as the images are; each row sums to 1.</summary>
    public Tensor Targets { get; }

    /// <summary>Gives the tensors' memory back.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
        Targets.Dispose();
    }
}
