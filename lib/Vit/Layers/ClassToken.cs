using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>A learned vector put in front of the sequence; the image's class is read from it (x_class in Eq. 1).</summary>
public sealed class ClassToken : nn.Module<Tensor, Tensor>
{
    /// <summary>[1, 1, D].</summary>
    public readonly Parameter token;

    /// <summary>Creates the token, zero as in the paper's code.</summary>
    /// <param name="width">D.</param>
    public ClassToken(int width) : base(nameof(ClassToken))
    {
        token = nn.Parameter(zeros(1, 1, width));
        RegisterComponents();
    }

    /// <param name="tokens">[B, N, D].</param>
    /// <returns>[B, 1 + N, D].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var copies = token.expand(tokens.shape[0], -1, -1);
        return cat([copies, tokens], dim: 1);
    }
}
