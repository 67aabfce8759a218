using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Cuts films into tubelets, patches that last several frames, and projects each to the model's width (arXiv:2103.15691, section 3.2).</summary>
/// <remarks>
/// A convolution in three dimensions whose kernel and stride are [t, P, P] is the linear projection of the flattened tubelets,
/// so the weight is kept as one. It is applied as the matrix product that it is, as in <see cref="PatchEmbedding"/>.
/// </remarks>
public sealed class TubeletEmbedding : nn.Module<Tensor, Tensor>
{
    /// <summary>The projection; weight [D, C, t, P, P], bias [D].</summary>
    public readonly Conv3d proj;

    /// <summary>t, the frames of a tubelet.</summary>
    public int TubeletFrames { get; }

    /// <summary>P, in pixels.</summary>
    public int PatchSize { get; }

    /// <summary>Creates the projection: LeCun normal, bias 0.</summary>
    /// <param name="channels">C.</param>
    /// <param name="tubeletFrames">t, the frames of a tubelet.</param>
    /// <param name="patchSize">P, in pixels.</param>
    /// <param name="width">D.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is not positive.</exception>
    public TubeletEmbedding(int channels, int tubeletFrames, int patchSize, int width) : base(nameof(TubeletEmbedding))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tubeletFrames);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        (TubeletFrames, PatchSize) = (tubeletFrames, patchSize);
        var kernel = (tubeletFrames, patchSize, patchSize);
        proj = nn.Conv3d(channels, width, kernel, stride: kernel);
        Initialization.LecunNormal(proj.weight, fanIn: channels * tubeletFrames * patchSize * patchSize);
        nn.init.zeros_(proj.bias!);
        RegisterComponents();
    }

    /// <param name="films">[B, F, C, H, W]; F is a multiple of t, H and W are multiples of the patch size.</param>
    /// <returns>[B, T, D], T = (F / t) · (H / P) · (W / P): the first t frames row by row, then the next t.</returns>
    /// <exception cref="ArgumentException">The films have other channels, or do not divide into tubelets.</exception>
    public override Tensor forward(Tensor films)
    {
        var (t, P, C) = (TubeletFrames, PatchSize, proj.weight.shape[1]);
        if (films.dim() != 5 || films.shape[2] != C)
            throw new ArgumentException($"Films are [B, F, {C}, H, W], given were {Shape.Of(films)}.", nameof(films));
        var (B, F, H, W) = (films.shape[0], films.shape[1], films.shape[3], films.shape[4]);
        if (films.numel() == 0 || F % t != 0 || H % P != 0 || W % P != 0)
            throw new ArgumentException($"{F} frames of {H} × {W} do not divide into tubelets of {t} frames and {P} × {P} pixels.", nameof(films));
        using var scope = NewDisposeScope();
        var tubelets = films
            .reshape(B, F / t, t, C, H / P, P, W / P, P)
            .permute(0, 1, 4, 6, 3, 2, 5, 7)                 // [B, F / t, H / P, W / P, C, t, P, P]
            .reshape(B, -1, C * t * P * P);
        return FusedLinear.Apply(proj.weight.flatten(1), proj.bias, tubelets).MoveToOuterDisposeScope();
    }
}
