using TorchSharp;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>What a <see cref="VisionTransformer"/> computed on the way from images to logits.</summary>
/// <param name="Patches">The projected patches, [B, N, D].</param>
/// <param name="Embedded">With tokens in front and positions added, [B, T, D] (z₀ in Eq. 1).</param>
/// <param name="Blocks">Of each encoder block, in order.</param>
/// <param name="Features">What the head read, [B, D] (y in Eq. 4); in DeiT both tokens, [B, 2, D].</param>
/// <param name="Logits">[B, K].</param>
public sealed record VisionTransformerTrace(
    Tensor Patches, Tensor Embedded, IReadOnlyList<EncoderBlockTrace> Blocks, Tensor Features, Tensor Logits)
{
    /// <summary>Hands every tensor to the scope around this one.</summary>
    internal VisionTransformerTrace MoveOutOf(DisposeScope scope)
    {
        scope.MoveToOuter([Patches, Embedded, Features, Logits, .. Blocks.SelectMany(block => new[] { block.Tokens, block.AttentionWeights })]);
        return this;
    }
}
