namespace Vit.Models;

/// <summary>All that determines a <see cref="ConvNet"/> but its weights.</summary>
public sealed record ConvNetConfig
{
    /// <summary>
    /// What every width is a multiple of. libtorch 2.10's convolutions (oneDNN on AVX-512) round other widths up and
    /// read the rest from memory that nobody wrote; now and then that is NaN.
    /// </summary>
    public const int WidthStep = 16;

    /// <summary>C.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The channels of each stage, multiples of 16. Each stage but the first halves the resolution.</summary>
    public IReadOnlyList<int> Widths { get; init => field = new Values<int>(value); } = new Values<int>([16, 32, 64]);

    /// <summary>Residual blocks of each stage.</summary>
    public int Blocks { get; init; } = 1;

    /// <summary>K; 0 for a model without a head.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>The number of parameters.</summary>
    public long Parameters
    {
        get
        {
            static long Conv(long input, long output, long size) => input * output * size * size + 2 * output;
            var sum = Conv(Channels, Widths[0], 3) + Classes * (Widths[^1] + 1L);
            for (var stage = 0; stage < Widths.Count; stage++)
            {
                long input = Widths[Math.Max(0, stage - 1)], output = Widths[stage];
                sum += Conv(input, output, 3) + Conv(output, output, 3) + (stage == 0 ? 0 : Conv(input, output, 1))
                    + (Blocks - 1) * 2 * Conv(output, output, 3);
            }
            return sum;
        }
    }

    /// <summary>Three stages, each one to three times as wide as the one before, whose parameters come closest to another model's.</summary>
    /// <param name="parameters">What to come close to, for a fair comparison.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public ConvNetConfig Matching(long parameters)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parameters);
        var narrowest = this with { Widths = [WidthStep, WidthStep, WidthStep] };
        var best = narrowest;
        // Wider than this, the last stage alone has more.
        var most = (int)Math.Sqrt(parameters / 9.0) / WidthStep + 1;
        for (var first = 1; first <= most; first++)
            for (var second = first; second <= 3 * first; second++)
                for (var third = second; third <= 3 * second; third++)
                {
                    var config = this with { Widths = [first * WidthStep, second * WidthStep, third * WidthStep] };
                    if (Math.Abs(config.Parameters - parameters) < Math.Abs(best.Parameters - parameters))
                        best = config;
                    // Wider is only further away.
                    if (config.Parameters > parameters)
                        break;
                }
        return best;
    }
}
