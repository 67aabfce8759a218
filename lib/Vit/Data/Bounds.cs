namespace Vit.Data;

/// <summary>The range that a number must lie in.</summary>
static class Bounds
{
    /// <exception cref="ArgumentOutOfRangeException">The value is not from <paramref name="low"/> to <paramref name="high"/>.</exception>
    public static void Check(double value, double low, double high, string name)
    {
        if (!(value >= low && value <= high))
            throw new ArgumentOutOfRangeException(name, value, $"Expected {low} to {high}.");
    }
}
