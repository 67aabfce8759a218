using System.Globalization;

namespace Benchmarks;

/// <summary>How figures are written.</summary>
static class Figures
{
    public static double Median(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The median of the rounds' ratios, with the middle half of them.</summary>
    public static string Ratio(Duration[] ours, Duration[] theirs, Func<Duration, double> time)
    {
        var ratios = ours.Zip(theirs, (a, b) => time(a) / time(b)).Order().ToArray();
        return string.Create(CultureInfo.InvariantCulture, $"{ratios.Median():F2} ({ratios[ratios.Length / 4]:F2}–{ratios[ratios.Length * 3 / 4]:F2})");
    }

    public static string Milliseconds(IEnumerable<Duration> durations) =>
        (durations.Select(it => it.Wall).Median() * 1000).ToString("F0", CultureInfo.InvariantCulture);

    public static void Row(params object[] cells) =>
        Console.WriteLine($"| {string.Join(" | ", cells.Select(cell => Convert.ToString(cell, CultureInfo.InvariantCulture)))} |");

    public static void Header(params string[] columns)
    {
        Row([.. columns]);
        Row([.. columns.Select(_ => "---")]);
    }
}
