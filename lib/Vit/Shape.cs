using static TorchSharp.torch;

namespace Vit;

/// <summary>Shapes as the exceptions and the notebooks write them: [1, 197, 768].</summary>
static class Shape
{
    /// <summary>A tensor's.</summary>
    public static string Of(Tensor tensor) => Of(tensor.shape);

    /// <summary>That of these dimensions.</summary>
    public static string Of(long[] dimensions) => $"[{string.Join(", ", dimensions)}]";
}
