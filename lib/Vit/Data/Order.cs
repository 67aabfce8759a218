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
}
