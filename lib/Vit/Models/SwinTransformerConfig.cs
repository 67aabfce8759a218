namespace Vit.Models;

/// <summary>All that determines a <see cref="SwinTransformer"/> but its weights. The defaults are those of the paper.</summary>
public sealed record SwinTransformerConfig
{
    /// <summary>H, in pixels; a multiple of the patch size.</summary>
    public int ImageHeight { get; init; } = 224;

    /// <summary>W, in pixels; a multiple of the patch size.</summary>
    public int ImageWidth { get; init; } = 224;

    /// <summary>C.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>P, in pixels.</summary>
    public int PatchSize { get; init; } = 4;

    /// <summary>M, the side of a window, in patches.</summary>
    public int WindowSize { get; init; } = 7;

    /// <summary>The width of the first stage; it doubles from stage to stage.</summary>
    public required int Width { get; init; }

    /// <summary>Blocks of each stage.</summary>
    public required IReadOnlyList<int> Depths { get; init => field = new Values<int>(value); }

    /// <summary>Heads of each stage.</summary>
    public required IReadOnlyList<int> Heads { get; init => field = new Values<int>(value); }

    /// <summary>K; 0 for a model without a head.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>The probability that a sample skips a branch of the last block in training; it grows linearly from 0 at the first.</summary>
    public double DropPath { get; init; }

    /// <summary>Of every LayerNorm.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-5;

    /// <summary>Swin-T (section 3.3).</summary>
    public static SwinTransformerConfig T { get; } = new() { Width = 96, Depths = [2, 2, 6, 2], Heads = [3, 6, 12, 24] };

    /// <summary>Swin-S (section 3.3).</summary>
    public static SwinTransformerConfig S { get; } = new() { Width = 96, Depths = [2, 2, 18, 2], Heads = [3, 6, 12, 24] };

    /// <summary>Swin-B (section 3.3).</summary>
    public static SwinTransformerConfig B { get; } = new() { Width = 128, Depths = [2, 2, 18, 2], Heads = [4, 8, 16, 32] };

    /// <summary>The named configurations.</summary>
    public static IReadOnlyDictionary<string, SwinTransformerConfig> Named { get; } =
        new Dictionary<string, SwinTransformerConfig> { ["Swin-T"] = T, ["Swin-S"] = S, ["Swin-B"] = B };
}
