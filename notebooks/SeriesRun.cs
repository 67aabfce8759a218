using System.Globalization;
using CSharpKernel.Documents;
using CSharpKernel.Headless;

namespace Notebooks;

/// <summary>Runs notebooks of a series, tells how it goes, and keeps what they gave.</summary>
/// <param name="series">The notebooks.</param>
/// <param name="copies">The folder for the executed copies.</param>
/// <param name="output">Where progress and results are told.</param>
/// <param name="live">Whether that is a terminal, where a line can be written over.</param>
sealed class SeriesRun(Series series, string copies, TextWriter output, bool live)
{
    sealed record Row(string Name, NotebookResult? Result, string Told);

    /// <summary>How long a cell may take; null for any time.</summary>
    public TimeSpan? CellTimeout { get; init; }

    /// <summary>Draws the charts of notebooks whose committed outputs are to be refreshed; null where they are to be left alone.</summary>
    public ChartPictures? Pictures { get; init; }

    /// <summary>Runs the named notebooks; all, where no name is given.</summary>
    /// <returns>The exit code: 0, 1 where a notebook failed, 130 where the run was interrupted.</returns>
    public async Task<int> Run(IReadOnlyList<string> wanted, CancellationToken cancellation)
    {
        IReadOnlyList<string> names;
        try
        {
            names = series.Select(wanted);
        }
        catch (ArgumentException e)
        {
            output.WriteLine(e.Message);
            return 1;
        }

        var rows = new List<Row>();
        try
        {
            foreach (var name in names)
            {
                rows.Add(await Run(name, $"[{rows.Count + 1}/{names.Count}]", cancellation));
            }
        }
        catch (OperationCanceledException)
        {
            output.WriteLine("Interrupted.");
            return 130;
        }

        WriteTable(rows);
        return rows.TrueForAll(r => r.Result is { Failure: null }) ? 0 : 1;
    }

    async Task<Row> Run(string name, string count, CancellationToken cancellation)
    {
        var source = Series.PathOf(series.Folder, name);
        try
        {
            var notebook = Notebook.Load(source);
            NotebookResult result;
            using (var progress = new Progress($"{count} {name}", notebook.Cells.Count(c => c.IsCode), output, live))
            {
                result = await NotebookRunner.Run(notebook, Path.GetDirectoryName(source)!, CellTimeout, progress.Start, cancellation);
            }

            var copy = Series.PathOf(copies, name);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            notebook.Save(copy);
            if (result.Failure is { } failure)
            {
                output.WriteLine($"{name}: {string.Join(Environment.NewLine, failure.Lines)}");
                return new(name, result, $"FAILED in cell {failure.Cell}");
            }

            if (Pictures is not null)
            {
                await Pictures.Draw(notebook, cancellation);
                CommittedForm.Restore(notebook);
                notebook.Save(source);
            }

            return new(name, result, result.Conclusion ?? "");
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or ChartPicturesException)
        {
            output.WriteLine($"{name}: {e.Message}");
            return new(name, null, "FAILED");
        }
    }

    void WriteTable(IReadOnlyList<Row> rows)
    {
        string[][] lines =
        [
            ["notebook", "cells", "seconds", "peak MB", "what it found"],
            .. rows.Select(r => r.Result is { } result
                ? new[]
                {
                    r.Name,
                    result.Cells.ToString(CultureInfo.InvariantCulture),
                    result.Duration.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture),
                    (result.PeakMemory / 1e6).ToString("F0", CultureInfo.InvariantCulture),
                    r.Told,
                }
                : [r.Name, "", "", "", r.Told]),
        ];
        var widths = Enumerable.Range(0, 4).Select(i => lines.Max(l => l[i].Length)).ToArray();
        output.WriteLine();
        foreach (var l in lines)
        {
            output.WriteLine($"{l[0].PadRight(widths[0])}  {l[1].PadLeft(widths[1])}  {l[2].PadLeft(widths[2])}  {l[3].PadLeft(widths[3])}  {l[4]}".TrimEnd());
        }
    }
}
