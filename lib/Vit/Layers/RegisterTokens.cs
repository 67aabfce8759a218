using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>
/// Learned vectors in front of the patches that nothing is read from: room in which the model keeps what belongs to
/// no patch (arXiv:2309.16588).
/// </summary>
public sealed class RegisterTokens : nn.Module<Tensor, Tensor>
{
    /// <summary>[1, R, D].</summary>
    public readonly Parameter tokens;

    /// <summary>Creates the tokens, close to zero and each different.</summary>
    /// <param name="count">R.</param>
    /// <param name="width">D.</param>
    public RegisterTokens(int count, int width) : base(nameof(RegisterTokens))
    {
        tokens = nn.Parameter(randn(1, count, width) * 1e-6);
        RegisterComponents();
    }

    /// <param name="patches">[B, N, D].</param>
    /// <returns>[B, R + N, D].</returns>
    public override Tensor forward(Tensor patches)
    {
        using var copies = tokens.expand(patches.shape[0], -1, -1);
        return cat([copies, patches], dim: 1);
    }
}
