using Vit.Data;
using Vit.Layers;

namespace Vit.Weights;

/// <summary>What is to differ from the checkpoint.</summary>
public sealed record PretrainedOptions
{
    /// <summary>K; where it is not the checkpoint's, the model gets a fresh head, or with 0 none. Null: as the checkpoint.</summary>
    public int? Classes { get; init; }

    /// <summary>C; the patches' projection is summed for one channel, and repeated for others, as timm's <c>in_chans</c> does. Null: as the checkpoint.</summary>
    public int? Channels { get; init; }

    /// <summary>H, in pixels; the positions are resampled. Null: as the checkpoint.</summary>
    public int? ImageHeight { get; init; }

    /// <summary>W, in pixels; the positions are resampled. Null: as the checkpoint.</summary>
    public int? ImageWidth { get; init; }

    /// <summary>The filter for resampling positions; see <see cref="PositionResampling"/>.</summary>
    public Interpolation PositionInterpolation { get; init; } = Interpolation.Bicubic;

    /// <summary>Whether positions are resampled with antialiasing.</summary>
    public bool PositionAntialias { get; init; } = true;

    /// <summary>h, which no tensor tells; needed where no config.json does and the width is none of the published sizes.</summary>
    public int? Heads { get; init; }

    /// <summary>
    /// Crop, filter and normalisation, where no file beside the weights tells them; size and channels are the model's. Null: as
    /// the family was published, which is told on standard error.
    /// </summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>Whether a checkpoint that does not fit in full is refused. Otherwise what does not fit stays fresh, and is listed.</summary>
    public bool Strict { get; init; } = true;
}
