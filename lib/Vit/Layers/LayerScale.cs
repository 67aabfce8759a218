using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>A learned factor for each dimension of a residual branch; starts small so that deep models train (arXiv:2103.17239).</summary>
public sealed class LayerScale : nn.Module<Tensor, Tensor>
{
    /// <summary>[D].</summary>
    public readonly Parameter gamma;

    /// <summary>Creates the factors.</summary>
    /// <param name="width">D.</param>
    /// <param name="initial">Their first value.</param>
    public LayerScale(int width, double initial) : base(nameof(LayerScale))
    {
        gamma = nn.Parameter(full(width, initial));
        RegisterComponents();
    }

    /// <param name="tokens">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor tokens) => tokens * gamma;
}
