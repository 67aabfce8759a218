using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Cuts images into patches, projects each and normalises it (arXiv:2103.14030, section 3.1).</summary>
public sealed class NormedPatchEmbedding : nn.Module<Tensor, Tensor>
{
    /// <summary>The projection; weight [D, C, P, P], bias [D].</summary>
    public readonly Conv2d proj;

    /// <summary>Of each patch.</summary>
    public readonly LayerNorm norm;

    /// <summary>Creates the layers.</summary>
    /// <param name="channels">C.</param>
    /// <param name="patchSize">P, in pixels.</param>
    /// <param name="width">D.</param>
    /// <param name="epsilon">Of the LayerNorm.</param>
    public NormedPatchEmbedding(int channels, int patchSize, int width, double epsilon) : base(nameof(NormedPatchEmbedding))
    {
        proj = nn.Conv2d(channels, width, kernel_size: patchSize, stride: patchSize);
        Initialization.LecunNormal(proj.weight, fanIn: channels * patchSize * patchSize);
        nn.init.zeros_(proj.bias!);
        norm = nn.LayerNorm(width, epsilon);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, H / P, W / P, D].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return norm.forward(proj.forward(images).permute(0, 2, 3, 1)).MoveToOuterDisposeScope();
    }
}
