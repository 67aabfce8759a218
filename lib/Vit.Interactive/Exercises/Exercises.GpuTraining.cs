using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>A float32 rounded to bfloat16, by its bits.</summary>
    /// <param name="round">From float32 to the nearest number that bfloat16 has.</param>
    public static string BFloat16(Func<float, float> round)
    {
        static float Expected(float x) => tensor(x).to(ScalarType.BFloat16).to(ScalarType.Float32).item<float>();
        using var scope = NewDisposeScope();
        var random = new Random(6);
        for (var i = 0; i < 500; i++)
            if ((float)(4 * random.NextDouble() - 2) is var x && round(x) != Expected(x))
                return $"Not yet: {x:G9} rounds to {Expected(x):G9}, yours gives {round(x):G9}.";
        // The first lies half-way above an even number, the second half-way above an odd one.
        foreach (var x in new[] { 1.00390625f, 1.01171875f })
            if (round(x) != Expected(x))
                return $"Not yet: {x:G9} lies in the middle between two; take {Expected(x):G9}, the one whose last bit is 0.";
        return "Right. Adding 0x7fff and the last bit that stays, then cutting, does it without a single `if`.";
    }

    /// <summary>What the mean loss of a part of a batch is multiplied by.</summary>
    /// <param name="share">From the images of the part and those of the whole batch.</param>
    public static string Accumulation(Func<int, int, double> share)
    {
        var (four, two) = (share(4, 10), share(2, 10));
        if (Math.Abs(four - 0.4) < 1e-9 && Math.Abs(two - 0.2) < 1e-9)
            return "Right: n / N, also for a last part that is smaller.";
        if (Math.Abs(share(5, 10) - 0.5) < 1e-9)
            return "Not yet: parts may have different sizes.";
        return $"Not yet: parts of 4, 4 and 2 images together would count {2 * four + two:G3} times as much as their batch of 10.";
    }
}
