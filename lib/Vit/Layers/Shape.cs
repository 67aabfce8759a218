using static TorchSharp.torch;

namespace Vit.Layers;

static class Shape
{
    /// <summary>A tensor's shape as the exceptions and the notebooks write it: [1, 197, 768].</summary>
    public static string Of(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";
}
