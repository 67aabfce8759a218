namespace Vit.Data;

/// <summary>Seeds that belong together: one for each epoch and step, all from the one that the reader chose.</summary>
static class Seed
{
    /// <summary>A seed for a place, such as (seed, epoch, step); neighbouring places get unrelated seeds.</summary>
    public static long Of(params ReadOnlySpan<long> place)
    {
        var state = 0UL;
        foreach (var part in place)
            state = Mix(state + 0x9E3779B97F4A7C15 + (ulong)part);
        return (long)state;
    }

    // The last step of SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014).
    static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
