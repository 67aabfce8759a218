using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Blocks of one resolution, after a merging of patches in all but the first stage (arXiv:2103.14030, Fig. 3).</summary>
public sealed class SwinStage : nn.Module<Tensor, Tensor>
{
    /// <summary>Null in the first stage.</summary>
    public readonly PatchMerging? downsample;

    /// <summary>The blocks; every second one has its windows shifted.</summary>
    public readonly ModuleList<SwinBlock> blocks;

    /// <summary>Puts the parts together.</summary>
    public SwinStage(PatchMerging? downsample, IEnumerable<SwinBlock> blocks) : base(nameof(SwinStage))
    {
        this.downsample = downsample;
        this.blocks = [.. blocks];
        RegisterComponents();
    }

    /// <param name="tokens">[B, H, W, D].</param>
    /// <returns>[B, H', W', D'].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        tokens = downsample is null ? tokens.alias() : downsample.call(tokens);
        foreach (var block in blocks)
            tokens = scope.DisposeEverythingBut(block.call(tokens));
        return tokens.MoveToOuterDisposeScope();
    }

    /// <summary>The output of every block.</summary>
    /// <param name="tokens">[B, H, W, D].</param>
    public IReadOnlyList<Tensor> Trace(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var outputs = new List<Tensor>();
        tokens = downsample is null ? tokens : downsample.call(tokens);
        foreach (var block in blocks)
            outputs.Add(tokens = block.call(tokens));
        scope.MoveToOuter(outputs);
        return outputs;
    }
}
