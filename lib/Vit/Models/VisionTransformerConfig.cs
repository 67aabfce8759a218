using Vit.Data;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>All that determines a <see cref="VisionTransformer"/> but its weights. The defaults are those of the paper.</summary>
public sealed record VisionTransformerConfig
{
    /// <summary>H, in pixels; a multiple of the patch size.</summary>
    public int ImageHeight { get; init; } = 224;

    /// <summary>W, in pixels; a multiple of the patch size.</summary>
    public int ImageWidth { get; init; } = 224;

    /// <summary>C.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>P, in pixels.</summary>
    public required int PatchSize { get; init; }

    /// <summary>L, the number of encoder blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>D, the length of a token; a multiple of the heads.</summary>
    public required int Width { get; init; }

    /// <summary>The length of the feed-forward's hidden layer.</summary>
    public required int MlpWidth { get; init; }

    /// <summary>h.</summary>
    public required int Heads { get; init; }

    /// <summary>K; 0 for a model without a head.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>What the head reads.</summary>
    public Pooling Pooling { get; init; } = Pooling.ClassToken;

    /// <summary>With mean pooling: whether there is a class token all the same, which the head does not read (as fine-tuned from MAE).</summary>
    public bool UnreadClassToken { get; init; }

    /// <summary>With mean pooling: whether every token is normalised (timm's <c>norm</c>), instead of their mean (<c>fc_norm</c>).</summary>
    public bool NormBeforePooling { get; init; }

    /// <summary>Whether a distillation token with a head of its own follows the class token, as in DeiT (arXiv:2012.12877, section 4).</summary>
    public bool Distilled { get; init; }

    /// <summary>How many register tokens stand before the patches.</summary>
    public int RegisterTokens { get; init; }

    /// <summary>How positions are told apart.</summary>
    public PositionKind Positions { get; init; } = PositionKind.Learned;

    /// <summary>Whether class and register tokens have no position of their own.</summary>
    public bool PatchPositionsOnly { get; init; }

    /// <summary>The length of a tanh layer before the head, as in the paper's pre-training; null for none.</summary>
    public int? PreLogitsWidth { get; init; }

    /// <summary>Whether query, key and value have a bias.</summary>
    public bool QkvBias { get; init; } = true;

    /// <summary>Dropped in training: of the embedded tokens, in the feed-forward and after both branches.</summary>
    public double Dropout { get; init; }

    /// <summary>Dropped in training: of the attention weights.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>The probability that a sample skips a branch of the last block in training; it grows linearly from 0 at the first.</summary>
    public double DropPath { get; init; }

    /// <summary>The first value of the branches' learned factors; null for none.</summary>
    public double? LayerScale { get; init; }

    /// <summary>Of every LayerNorm.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Rows of the grid of patches, H / P.</summary>
    public int GridRows => ImageHeight / PatchSize;

    /// <summary>Columns of the grid of patches, W / P.</summary>
    public int GridColumns => ImageWidth / PatchSize;

    /// <summary>Tokens in front of the patches.</summary>
    public int ExtraTokens => (HasClassToken ? 1 : 0) + (Distilled ? 1 : 0) + RegisterTokens;

    /// <summary>Whether a class token stands in front.</summary>
    public bool HasClassToken => Pooling == Pooling.ClassToken || UnreadClassToken;

    /// <summary>T, the length of the sequence.</summary>
    public int Tokens => ExtraTokens + GridRows * GridColumns;

    /// <summary>ViT-Ti/16 (arXiv:2106.10270, Table 2).</summary>
    public static VisionTransformerConfig Ti16 { get; } = Sized(16, layers: 12, width: 192, heads: 3);

    /// <summary>ViT-S/16 (arXiv:2106.10270, Table 2).</summary>
    public static VisionTransformerConfig S16 { get; } = Sized(16, layers: 12, width: 384, heads: 6);

    /// <summary>ViT-B/32 (Table 1).</summary>
    public static VisionTransformerConfig B32 { get; } = Sized(32, layers: 12, width: 768, heads: 12);

    /// <summary>ViT-B/16 (Table 1).</summary>
    public static VisionTransformerConfig B16 { get; } = Sized(16, layers: 12, width: 768, heads: 12);

    /// <summary>ViT-L/32 (Table 1).</summary>
    public static VisionTransformerConfig L32 { get; } = Sized(32, layers: 24, width: 1024, heads: 16);

    /// <summary>ViT-L/16 (Table 1).</summary>
    public static VisionTransformerConfig L16 { get; } = Sized(16, layers: 24, width: 1024, heads: 16);

    /// <summary>ViT-H/14 (Table 1).</summary>
    public static VisionTransformerConfig H14 { get; } = Sized(14, layers: 32, width: 1280, heads: 16);

    /// <summary>DeiT-Ti/16 (arXiv:2012.12877, Table 1), with its distillation token.</summary>
    public static VisionTransformerConfig DeiTTi16 { get; } = Ti16 with { Distilled = true };

    /// <summary>DeiT-S/16 (arXiv:2012.12877, Table 1), with its distillation token.</summary>
    public static VisionTransformerConfig DeiTS16 { get; } = S16 with { Distilled = true };

    /// <summary>DeiT-B/16 (arXiv:2012.12877, Table 1), with its distillation token.</summary>
    public static VisionTransformerConfig DeiTB16 { get; } = B16 with { Distilled = true };

    /// <summary>Small enough to run in a millisecond: for tests, and for tensors that one can read.</summary>
    public static VisionTransformerConfig Micro { get; } =
        Sized(8, layers: 3, width: 48, heads: 3) with { ImageHeight = 32, ImageWidth = 32, Classes = 10 };

    /// <summary>The named configurations.</summary>
    public static IReadOnlyDictionary<string, VisionTransformerConfig> Named { get; } =
        new Dictionary<string, VisionTransformerConfig>
        {
            ["Ti/16"] = Ti16,
            ["S/16"] = S16,
            ["B/32"] = B32,
            ["B/16"] = B16,
            ["L/32"] = L32,
            ["L/16"] = L16,
            ["H/14"] = H14,
            ["DeiT-Ti/16"] = DeiTTi16,
            ["DeiT-S/16"] = DeiTS16,
            ["DeiT-B/16"] = DeiTB16,
            ["micro"] = Micro,
        };

    static VisionTransformerConfig Sized(int patchSize, int layers, int width, int heads) =>
        new() { PatchSize = patchSize, Layers = layers, Width = width, MlpWidth = 4 * width, Heads = heads };

    /// <summary>The same model for some images: of their size and channels, with a head for their classes.</summary>
    public VisionTransformerConfig For(IImageSource images) => this with
    {
        ImageHeight = images.Preprocessing.Height,
        ImageWidth = images.Preprocessing.Width,
        Channels = images.Preprocessing.Channels,
        Classes = images.ClassNames.Count,
    };

    /// <summary>The encoder block of a layer, counted from 0.</summary>
    internal EncoderBlock Block(int layer) => new(
        Width, Heads, MlpWidth, QkvBias, Dropout, AttentionDropout,
        DropPath * layer / Math.Max(1, Layers - 1), LayerScale, LayerNormEpsilon);

    /// <exception cref="ArgumentException">There are none, or they are not of this configuration's size and channels.</exception>
    internal void CheckImages(Tensor images)
    {
        if (images.dim() != 4 || images.shape[0] == 0 || images.shape[1] != Channels || images.shape[2] != ImageHeight || images.shape[3] != ImageWidth)
            throw new ArgumentException(
                $"This model takes images [B, {Channels}, {ImageHeight}, {ImageWidth}], given were {Shape.Of(images)}.", nameof(images));
    }

    /// <summary>Checks what the parts do not check themselves.</summary>
    /// <exception cref="ArgumentException">A number is out of its range, or the image does not divide into patches.</exception>
    internal void Check()
    {
        Positive(Channels, nameof(Channels));
        Positive(PatchSize, nameof(PatchSize));
        Positive(Layers, nameof(Layers));
        Positive(MlpWidth, nameof(MlpWidth));
        if (Classes < 0)
            throw new ArgumentException($"Classes is at least 0, given was {Classes}.", nameof(Classes));
        if (PreLogitsWidth is < 1)
            throw new ArgumentException($"PreLogitsWidth is at least 1, or null for no such layer, given was {PreLogitsWidth}.", nameof(PreLogitsWidth));
        foreach (var (rate, name) in new[] { (Dropout, nameof(Dropout)), (AttentionDropout, nameof(AttentionDropout)) })
            if (!(rate >= 0 && rate < 1))
                throw new ArgumentException($"{name} is a rate from 0 to less than 1, given was {rate}.", name);
        if (!(LayerNormEpsilon > 0))
            throw new ArgumentException($"LayerNormEpsilon is above 0, given was {LayerNormEpsilon}.", nameof(LayerNormEpsilon));
        if (Pooling == Pooling.ClassToken && (UnreadClassToken || NormBeforePooling))
            throw new ArgumentException("UnreadClassToken and NormBeforePooling are choices of mean pooling.", nameof(Pooling));
        if (Distilled && Pooling != Pooling.ClassToken)
            throw new ArgumentException("A distilled Vision Transformer reads a class and a distillation token.", nameof(Pooling));
        if (RegisterTokens < 0)
            throw new ArgumentException($"There cannot be {RegisterTokens} register tokens.", nameof(RegisterTokens));
        if (ImageHeight < PatchSize || ImageWidth < PatchSize || ImageHeight % PatchSize != 0 || ImageWidth % PatchSize != 0)
            throw new ArgumentException(
                $"Images of {ImageHeight} × {ImageWidth} do not divide into patches of {PatchSize}; "
                + $"{Math.Max(1, GridRows) * PatchSize} × {Math.Max(1, GridColumns) * PatchSize} would fit.", nameof(PatchSize));

        static void Positive(int value, string name)
        {
            if (value <= 0)
                throw new ArgumentException($"{name} is at least 1, given was {value}.", name);
        }
    }
}
