using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>What an encoder block computed.</summary>
/// <param name="Tokens">Its output, [B, T, D].</param>
/// <param name="AttentionWeights">[B, h, T, T]: row i tells how much token i took from each token; rows sum to 1.</param>
public sealed record EncoderBlockTrace(Tensor Tokens, Tensor AttentionWeights)
{
    /// <summary>Runs tokens through blocks, each reading what the one before gave.</summary>
    internal static IReadOnlyList<EncoderBlockTrace> Through(IEnumerable<EncoderBlock> blocks, Tensor tokens)
    {
        var traces = new List<EncoderBlockTrace>();
        foreach (var block in blocks)
        {
            traces.Add(block.Trace(tokens));
            tokens = traces[^1].Tokens;
        }
        return traces;
    }
}
