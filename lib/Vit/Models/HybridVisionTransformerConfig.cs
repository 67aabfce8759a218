namespace Vit.Models;

/// <summary>All that determines a <see cref="HybridVisionTransformer"/> but its weights.</summary>
public sealed record HybridVisionTransformerConfig
{
    /// <summary>The Vision Transformer. Image and channels are those before the stem; the patch size is in pixels of what the stem gives.</summary>
    public required VisionTransformerConfig Encoder { get; init; }

    /// <summary>The units of each of the ResNet's stages.</summary>
    public required IReadOnlyList<int> Stages { get; init => field = new Values<int>(value); }

    /// <summary>The named configurations (arXiv:2010.11929, section 4.1, and arXiv:2106.10270, Table 2).</summary>
    public static IReadOnlyDictionary<string, HybridVisionTransformerConfig> Named { get; } =
        new Dictionary<string, HybridVisionTransformerConfig>
        {
            ["R+Ti/16"] = Of(VisionTransformerConfig.Ti16, patchSize: 8),
            ["R26+S/32"] = Of(VisionTransformerConfig.S16, patchSize: 1, 2, 2, 2, 2),
            ["R26+B/32"] = Of(VisionTransformerConfig.B16, patchSize: 1, 2, 2, 2, 2),
            ["R50+B/16"] = Of(VisionTransformerConfig.B16, patchSize: 1, 3, 4, 9),
            ["R50+L/32"] = Of(VisionTransformerConfig.L16, patchSize: 1, 3, 4, 6, 3),
        };

    static HybridVisionTransformerConfig Of(VisionTransformerConfig encoder, int patchSize, params int[] stages) =>
        new() { Encoder = encoder with { PatchSize = patchSize }, Stages = stages };
}
