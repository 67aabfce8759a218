using System.Globalization;

namespace Vit.Training;

/// <summary>A line of a terminal that is written over and over: a bar, loss, accuracy, images a second, time left.</summary>
public sealed class ProgressBar : IProgress<TrainingProgress>
{
    const int Cells = 24;

    readonly TextWriter output;
    readonly bool silent;

    /// <summary>Draws on standard error, unless that is no terminal.</summary>
    public ProgressBar() : this(Console.Error) => silent = Console.IsErrorRedirected;

    internal ProgressBar(TextWriter output) => this.output = output;

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        if (silent)
            return;
        var line = Line(value);
        // The epoch's line comes in its place.
        output.Write(value.Step == value.Steps ? $"\r{new string(' ', line.Length)}\r" : $"\r{line}");
    }

    static string Line(TrainingProgress value)
    {
        var full = Cells * value.Step / value.Steps;
        return string.Create(CultureInfo.InvariantCulture,
            $"epoch {value.Epoch}/{value.Epochs} [{new string('#', full)}{new string('.', Cells - full)}] loss {value.Loss:F3}, top-1 {100 * value.Top1,5:F2} %, {value.ImagesPerSecond,5:F0} images/s, {(int)value.Remaining.TotalHours:D2}:{value.Remaining:mm\\:ss} left ");
    }
}
