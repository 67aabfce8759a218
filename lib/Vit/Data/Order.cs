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
    /// <exception cref="ArgumentOutOfRangeException">Nothing would be set aside, or nothing left.</exception>
    public static (long[] Remaining, long[] Aside) SetAside(int total, int count, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(count, total);
        var order = Of(total, seed);
        return (order[count..], order[..count]);
    }
}
