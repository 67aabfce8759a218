using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>What an encoder block computed.</summary>
/// <param name="Tokens">Its output, [B, T, D].</param>
/// <param name="AttentionWeights">[B, h, T, T]: row i tells how much token i took from each token; rows sum to 1.</param>
public sealed record EncoderBlockTrace(Tensor Tokens, Tensor AttentionWeights);
