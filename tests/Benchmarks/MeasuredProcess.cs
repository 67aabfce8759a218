using System.Diagnostics;
using System.Globalization;

namespace Benchmarks;

/// <summary>Runs a part of this program in a process of its own, so that what it holds at most is its own.</summary>
static class MeasuredProcess
{
    /// <returns>The numbers that the part wrote.</returns>
    public static double[] Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Insert(0, typeof(MeasuredProcess).Assembly.Location);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? [.. output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(number => double.Parse(number, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException($"The process for '{string.Join(' ', arguments)}' ended with {process.ExitCode}.");
    }

    public static int Answer(params double[] numbers)
    {
        Console.WriteLine(string.Join(' ', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))));
        return 0;
    }

    /// <summary>The most memory that this process has held, in bytes.</summary>
    public static long Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
