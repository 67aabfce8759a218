using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Two linear layers with a GELU between, the same for every token (the MLP of Eq. 3).</summary>
public sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    readonly double dropout;

    /// <summary>Weight [M, D].</summary>
    public readonly Linear fc1;

    /// <summary>Weight [D, M].</summary>
    public readonly Linear fc2;

    /// <summary>Creates the layers, Xavier uniform with biases close to zero as in the paper's code.</summary>
    /// <param name="width">D.</param>
    /// <param name="mlpWidth">M; the paper takes 4 · D.</param>
    /// <param name="dropout">The share of values dropped after each layer in training.</param>
    public FeedForward(int width, int mlpWidth, double dropout = 0) : base(nameof(FeedForward))
    {
        this.dropout = dropout;
        fc1 = Initialization.Linear(width, mlpWidth);
        fc2 = Initialization.Linear(mlpWidth, width);
        Initialization.XavierUniform(fc1, biasDeviation: 1e-6);
        Initialization.XavierUniform(fc2, biasDeviation: 1e-6);
        RegisterComponents();
    }

    /// <param name="tokens">[B, T, D].</param>
    /// <returns>[B, T, D].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var hidden = FusedLinear.ApplyGelu(fc1, tokens);             // [B, T, M]
        var output = FusedLinear.Apply(fc2, nn.functional.dropout(hidden, dropout, training));
        return nn.functional.dropout(output, dropout, training).MoveToOuterDisposeScope();
    }
}
