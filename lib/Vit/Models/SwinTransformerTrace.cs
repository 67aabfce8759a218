using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>What a <see cref="SwinTransformer"/> computed on the way from images to logits.</summary>
/// <param name="Blocks">The output of each block, in order, [B, H', W', D'] of its stage.</param>
/// <param name="Features">What the head read, [B, D'].</param>
/// <param name="Logits">[B, K].</param>
public sealed record SwinTransformerTrace(IReadOnlyList<Tensor> Blocks, Tensor Features, Tensor Logits);
