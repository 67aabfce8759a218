using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Joins every 2 × 2 patches into one of twice the width (arXiv:2103.14030, section 3.1).</summary>
public sealed class PatchMerging : nn.Module<Tensor, Tensor>
{
    /// <summary>Of the four patches side by side, 4 · D.</summary>
    public readonly LayerNorm norm;

    /// <summary>Weight [2 · D, 4 · D], no bias.</summary>
    public readonly Linear reduction;

    /// <summary>Creates the layer.</summary>
    /// <param name="width">D.</param>
    /// <param name="epsilon">Of the LayerNorm.</param>
    public PatchMerging(int width, double epsilon = 1e-5) : base(nameof(PatchMerging))
    {
        norm = nn.LayerNorm(4 * width, epsilon);
        reduction = Initialization.Linear(4 * width, 2 * width, bias: false);
        RegisterComponents();
    }

    /// <param name="tokens">[B, H, W, D], H and W even.</param>
    /// <returns>[B, H / 2, W / 2, 2 · D].</returns>
    /// <exception cref="ArgumentException">The tokens are not [B, H, W, D] with even H and W.</exception>
    public override Tensor forward(Tensor tokens)
    {
        if (tokens.dim() != 4 || tokens.shape[1] % 2 != 0 || tokens.shape[2] % 2 != 0 || 4 * tokens.shape[3] != reduction.weight!.shape[1])
            throw new ArgumentException($"The layer takes tokens [B, H, W, {reduction.weight!.shape[1] / 4}] with even H and W, given were {Shape.Of(tokens)}.", nameof(tokens));
        using var scope = NewDisposeScope();
        var (B, H, W, D) = (tokens.shape[0], tokens.shape[1], tokens.shape[2], tokens.shape[3]);
        // Column before row, as the published weights have it: (0, 0), (1, 0), (0, 1), (1, 1).
        var joined = tokens.reshape(B, H / 2, 2, W / 2, 2, D).permute(0, 1, 3, 4, 2, 5).flatten(3);
        return reduction.call(norm.call(joined)).MoveToOuterDisposeScope();
    }
}
