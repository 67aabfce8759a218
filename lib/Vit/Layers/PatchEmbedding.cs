using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Cuts images into patches and projects each to the model's width (E in Eq. 1).</summary>
/// <remarks>
/// A convolution whose kernel and stride are both P is the linear projection of the flattened patches, so the weight is
/// kept as one, as in every published checkpoint. It is applied as the matrix product that it is, which takes the same
/// path on every machine; for a convolution, libtorch chooses among several by processor and shape.
/// </remarks>
public sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    /// <summary>The projection; weight [D, C, P, P], bias [D].</summary>
    public readonly Conv2d proj;

    /// <summary>Of each projected patch, as Swin has it (arXiv:2103.14030, section 3.1); null where the model has none.</summary>
    public readonly LayerNorm? norm;

    /// <summary>P, in pixels.</summary>
    public int PatchSize { get; }

    /// <summary>Creates the projection, initialised as in the paper's code: LeCun normal, bias 0.</summary>
    /// <param name="channels">C.</param>
    /// <param name="patchSize">P, in pixels.</param>
    /// <param name="width">D.</param>
    /// <param name="normEpsilon">Of the LayerNorm; null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is not positive.</exception>
    public PatchEmbedding(int channels, int patchSize, int width, double? normEpsilon = null) : base(nameof(PatchEmbedding))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        PatchSize = patchSize;
        proj = nn.Conv2d(channels, width, kernel_size: patchSize, stride: patchSize);
        Initialization.LecunNormal(proj.weight, fanIn: channels * patchSize * patchSize);
        nn.init.zeros_(proj.bias!);
        if (normEpsilon is double epsilon)
            norm = nn.LayerNorm(width, epsilon);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W]; H and W are multiples of the patch size.</param>
    /// <returns>[B, N, D], N = (H / P) · (W / P), row by row.</returns>
    /// <exception cref="ArgumentException">The images have other channels, or H or W is no multiple of P.</exception>
    public override Tensor forward(Tensor images)
    {
        Patches.CheckImages(images, PatchSize);
        if (images.shape[1] != proj.weight.shape[1])
            throw new ArgumentException(
                $"Images of {proj.weight.shape[1]} channels fit this model, given were {Shape.Of(images)}.", nameof(images));
        using var scope = NewDisposeScope();
        var patches = Hooks.On(proj)
            ? proj.call(images).flatten(2).transpose(1, 2)
            : FusedLinear.Apply(proj.weight.flatten(1), proj.bias, Patches.Cut(images, PatchSize));   // [B, N, D]
        return (norm is null ? patches : norm.call(patches)).MoveToOuterDisposeScope();
    }
}
