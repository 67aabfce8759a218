using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>Fits learned positions to another grid of patches (section 3.2, "2D interpolation").</summary>
public static class PositionResampling
{
    /// <summary>Resizes the grid of positions as if it were a picture of D channels; tokens in front keep theirs.</summary>
    /// <param name="positions">[1, E + rows · columns, D].</param>
    /// <param name="extraTokens">E: class, distillation and register tokens that have positions.</param>
    /// <param name="from">The grid that the positions were learned for.</param>
    /// <param name="to">The grid that they are needed for.</param>
    /// <param name="interpolation">The paper's code takes bilinear, timm and DeiT bicubic.</param>
    /// <param name="antialias">Whether the filter widens when the grid shrinks, and bicubic is PIL's; as timm does it.</param>
    /// <returns>[1, E + rows · columns, D] of the new grid.</returns>
    /// <exception cref="ArgumentException">The positions are not of the grid that they are said to be of.</exception>
    public static Tensor Resample(
        Tensor positions, int extraTokens, (int Rows, int Columns) from, (int Rows, int Columns) to,
        Interpolation interpolation = Interpolation.Bicubic, bool antialias = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to.Rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to.Columns);
        if (positions.dim() != 3 || positions.shape[0] != 1 || positions.shape[1] != extraTokens + from.Rows * from.Columns)
            throw new ArgumentException(
                $"Positions of {extraTokens} tokens and {from.Rows} × {from.Columns} patches are [1, {extraTokens + from.Rows * from.Columns}, D], given were {Shape.Of(positions)}.", nameof(positions));
        using var scope = NewDisposeScope();
        var grid = positions.slice(1, extraTokens, positions.shape[1], 1)
            .reshape(1, from.Rows, from.Columns, -1)
            .permute(0, 3, 1, 2)                                 // [1, D, rows, columns]
            .to(float32);
        var resized = nn.functional.interpolate(
            grid, size: [to.Rows, to.Columns],
            mode: interpolation == Interpolation.Bicubic ? InterpolationMode.Bicubic : InterpolationMode.Bilinear,
            align_corners: false, antialias: antialias);
        return cat([positions.slice(1, 0, extraTokens, 1), resized.flatten(2).transpose(1, 2).to(positions.dtype)], dim: 1)
            .MoveToOuterDisposeScope();
    }
}
