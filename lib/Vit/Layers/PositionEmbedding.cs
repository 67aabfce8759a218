using static TorchSharp.torch;

namespace Vit.Layers;

/// <summary>The vectors that are added to the tokens, one for each position (E_pos in Eq. 1).</summary>
public static class PositionEmbedding
{
    /// <summary>The vectors of a grid of patches, as a model starts with them.</summary>
    /// <param name="kind">Learned (normal, deviation 0.02) or computed.</param>
    /// <param name="rows">H / P.</param>
    /// <param name="columns">W / P.</param>
    /// <param name="width">D; a multiple of 2 for 1-D sines, of 4 and at least 8 for 2-D ones.</param>
    /// <param name="extraTokens">Tokens in front of the patches that have a position too; computed positions give them 0.</param>
    /// <returns>[1, T, D]; a parameter where they are learned.</returns>
    /// <exception cref="ArgumentException">The width does not suit the kind, or the kind is <see cref="PositionKind.None"/>.</exception>
    public static Tensor Table(PositionKind kind, int rows, int columns, int width, int extraTokens = 0)
    {
        return kind switch
        {
            PositionKind.Learned => nn.Parameter(randn(1, extraTokens + rows * columns, width) * 0.02),
            PositionKind.SinCos1D => WithZeros(SinCos1D(rows * columns, width)),
            PositionKind.SinCos2D => WithZeros(SinCos2D(rows, columns, width)),
            _ => throw new ArgumentException($"There are no vectors for positions of kind {kind}.", nameof(kind)),
        };

        Tensor WithZeros(Tensor patches) => cat([zeros(1, extraTokens, width), patches.unsqueeze(0)], dim: 1);
    }

    /// <summary>
    /// Sines at the even and cosines at the odd dimensions, of frequencies from 1 down to almost 1 / temperature
    /// (arXiv:1706.03762, section 3.5).
    /// </summary>
    /// <param name="length">T.</param>
    /// <param name="width">D, even.</param>
    /// <param name="temperature">What the wavelengths grow to, divided by 2π.</param>
    /// <returns>[T, D].</returns>
    /// <exception cref="ArgumentException">The width is odd.</exception>
    public static Tensor SinCos1D(int length, int width, double temperature = 10_000)
    {
        if (width % 2 != 0)
            throw new ArgumentException($"Half of the dimensions are sines, half cosines: the width must be even, given was {width}.", nameof(width));
        using var scope = NewDisposeScope();
        var frequencies = pow(temperature, -arange(0, width, 2, dtype: float32) / width);      // [D / 2]
        var angles = arange(length, dtype: float32).unsqueeze(1) * frequencies;                // [T, D / 2]
        return stack([angles.sin(), angles.cos()], dim: 2).flatten(1).MoveToOuterDisposeScope();
    }

    /// <summary>A quarter of the dimensions each: sine and cosine of the column, sine and cosine of the row (arXiv:2205.01580).</summary>
    /// <param name="rows">H / P.</param>
    /// <param name="columns">W / P.</param>
    /// <param name="width">D, a multiple of 4, at least 8.</param>
    /// <param name="temperature">What the wavelengths grow to, divided by 2π.</param>
    /// <returns>[N, D], row by row.</returns>
    /// <exception cref="ArgumentException">The width is no multiple of 4 or less than 8.</exception>
    public static Tensor SinCos2D(int rows, int columns, int width, double temperature = 10_000)
    {
        if (width % 4 != 0 || width < 8)
            throw new ArgumentException($"The width must be a multiple of 4 and at least 8, given was {width}.", nameof(width));
        using var scope = NewDisposeScope();
        var frequencies = pow(temperature, -linspace(0, 1, width / 4, dtype: float32));        // [D / 4]
        var y = arange(rows, dtype: float32).repeat_interleave(columns).unsqueeze(1) * frequencies;
        var x = arange(columns, dtype: float32).repeat(rows).unsqueeze(1) * frequencies;       // [N, D / 4]
        return cat([x.sin(), x.cos(), y.sin(), y.cos()], dim: 1).MoveToOuterDisposeScope();
    }
}
