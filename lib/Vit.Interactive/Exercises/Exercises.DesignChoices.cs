namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>What a change brings, seed by seed.</summary>
    /// <param name="paired">From the accuracies of a design and of a changed one, in the same order of seeds, to mean and standard deviation.</param>
    public static string PairedDifference(Func<double[], double[], (double Mean, double Deviation)> paired)
    {
        double[] before = [82.1, 80.4, 83.0, 81.2, 79.9], after = [82.6, 80.8, 83.6, 81.5, 80.7];
        var (mean, deviation) = paired(before, after);
        var differences = after.Zip(before, (a, b) => a - b).ToArray();
        var expected = differences.Average();
        if (Near(mean, -expected))
            return "Not yet: the sign. A change that helps is above 0.";
        if (!Near(mean, expected))
            return "Not yet: the mean is that of the differences, changed minus unchanged.";
        double Of(double[] values, int divisor)
        {
            var middle = values.Average();
            return Math.Sqrt(values.Sum(value => (value - middle) * (value - middle)) / divisor);
        }
        var seeds = differences.Length;
        var right = Of(differences, seeds - 1);
        if (Near(deviation, right))
            return "Right: in these made-up numbers each design varies by more than a point from seed to seed, their difference by far less.";
        if (Near(deviation, Of(differences, seeds)))
            return "Not yet: a standard deviation of a sample divides by one less than its number.";
        if (Near(deviation, right / Math.Sqrt(seeds)))
            return "Not yet: this is the standard error of the mean. Asked is how far the differences lie apart.";
        if (Near(deviation, right * right))
            return "Not yet: this is the variance.";
        if (Near(deviation, (differences.Max() - differences.Min()) / 2))
            return "Not yet: this is half of the range.";
        return Near(deviation, Math.Sqrt(Math.Pow(Of(before, seeds - 1), 2) + Math.Pow(Of(after, seeds - 1), 2)))
            ? "Not yet: so one compares two samples that know nothing of each other. These belong together, seed by seed."
            : "Not yet: the mean is right. How far do the differences lie from it?";
    }

    /// <summary>Which learning rate to try next.</summary>
    /// <param name="nextRate">From the rates that were tried and their accuracies to the next one, or null where the best is found.</param>
    public static string NextRate(Func<double[], double[], double?> nextRate)
    {
        var tried = new (double[] Rates, double[] Accuracies, double? Next)[]
        {
            ([1e-3, 2e-3, 4e-3], [80, 82, 81], null),
            ([1e-3, 2e-3, 4e-3], [80, 82, 83], 8e-3),
            ([1e-3, 2e-3, 4e-3], [83, 82, 81], 5e-4),
            ([2e-3, 4e-3, 8e-3, 1e-3], [81, 80, 79, 82], 5e-4),
            ([2e-3, 4e-3, 8e-3, 1e-3, 5e-4], [81, 80, 79, 82, 81.5], null),
        };
        foreach (var (rates, accuracies, next) in tried)
        {
            var yours = nextRate([.. rates], [.. accuracies]);
            if (yours is null == next is null && (next is null || Math.Abs(yours!.Value - next.Value) < 1e-9))
                continue;
            if (next is null)
                return "Not yet: you go on although the best rate has a worse one on either side.";
            if (yours is null && rates.SequenceEqual(rates.Order()))
                return "Not yet: you stop at the edge of what was tried. The next rate could be better still.";
            if (!rates.SequenceEqual(rates.Order()))
                return "Not yet: the rates stand in the order in which they were tried. Which of them is the smallest?";
            if (rates.Contains(yours!.Value))
                return "Not yet: this rate was tried.";
            return $"Not yet: too {(yours > next ? "large" : "small")} a rate. From which edge does one go on, and in which direction?";
        }
        return "Right: go on by factors of two until the best rate lies inside.";
    }
}
