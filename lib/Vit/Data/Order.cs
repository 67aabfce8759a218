namespace Vit.Data;

/// <summary>The order in which images are taken.</summary>
static class Order
{
    /// <summary>0 to <paramref name="count"/> - 1, shuffled unless <paramref name="seed"/> is null.</summary>
    public static long[] Of(int count, int? seed)
    {
        var order = new long[count];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        // System.Random keeps its sequence for a given seed on every platform and version.
        if (seed is { } start)
            new Random(start).Shuffle(order);
        return order;
    }

    /// <exception cref="ArgumentOutOfRangeException">A position is not from 0 to <paramref name="count"/> - 1.</exception>
    public static void Check(long[] positions, int count)
    {
        foreach (var position in positions)
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)position, (ulong)count, nameof(positions));
    }

    /// <summary>Parts <paramref name="total"/> positions at random.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One of the two would be empty.</exception>
    public static (long[] Remaining, long[] Aside) Split(int total, int count, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(count, total);
        var order = Of(total, seed);
        return (order[count..], order[..count]);
    }

    /// <summary>A share of <paramref name="total"/>: at least one, and not all of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The share is not between 0 and 1, or there are fewer than two.</exception>
    public static int Count(int total, double share)
    {
        if (!(share is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "Expected more than 0 and less than 1.");
        if (total < 2)
            throw new ArgumentOutOfRangeException(nameof(total), total, "Expected two images or more, for two parts.");
        return Math.Clamp((int)Math.Round(share * total), 1, total - 1);
    }
}
