using System.Diagnostics;
using System.Text.Json.Nodes;
using CSharpKernel.Documents;
using CSharpKernel.Outputs;

namespace CSharpKernel.Headless;

/// <summary>Runs a notebook top to bottom in a fresh process and puts what its cells give into the document.</summary>
public static class NotebookRunner
{
    /// <summary>On a cell so tagged an exception is expected, and its absence is a failure.</summary>
    public const string RaisesException = "raises-exception";

    /// <summary>The cell so tagged holds what the notebook found out.</summary>
    public const string Conclusion = "conclusion";

    /// <summary>Runs it.</summary>
    /// <param name="notebook">The document, whose outputs are replaced; where a cell fails, those after it have none.</param>
    /// <param name="folder">The notebook's folder.</param>
    /// <param name="cellTimeout">How long a cell may take; null for any time.</param>
    /// <param name="started">Told each code cell's number, from 1, when it starts.</param>
    /// <param name="cancellation">Stops it and kills the process.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static async Task<NotebookResult> Run(Notebook notebook, string folder, TimeSpan? cellTimeout = null, Action<int>? started = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        var cells = notebook.Cells.Where(c => c.IsCode).ToList();
        foreach (var cell in cells)
        {
            cell.Reset(null);
        }

        using var process = KernelProcess.Start(folder);
        var displays = new Dictionary<string, JsonObject>();
        CellFailure? failure = null;
        var ran = 0;
        while (ran < cells.Count && failure is null)
        {
            var cell = cells[ran++];
            cell.Reset(ran);
            started?.Invoke(ran);
            failure = await Run(process, cell, ran, displays, cellTimeout, cancellation);
        }

        return new(cells.Count, watch.Elapsed, process.PeakMemory, ConclusionOf(cells), failure);
    }

    static async Task<CellFailure?> Run(KernelProcess process, NotebookCell cell, int number, Dictionary<string, JsonObject> displays, TimeSpan? timeout, CancellationToken cancellation)
    {
        Output.Error? error = null;
        string problem;
        try
        {
            var succeeded = await process.Execute(cell.Source, $"cell {number}", Take, timeout, cancellation);
            if (succeeded != cell.Tags.Contains(RaisesException))
            {
                return null;
            }

            if (error is not null)
            {
                var source = error.Line is { } line ? cell.Source.Split('\n').ElementAtOrDefault(line - 1)?.Trim() : null;
                return new(number, error.Line, source, error.Traceback);
            }

            problem = $"The cell is tagged {RaisesException}, but raised none.";
        }
        catch (Exception e) when (e is KernelDiedException or TimeoutException)
        {
            problem = e.Message;
            cell.Add(new Output.Error(e.GetType().Name, problem, [problem], null), displays);
        }

        return new(number, null, null, [problem]);

        void Take(Output output)
        {
            error = output as Output.Error ?? error;
            cell.Add(output, displays);
        }
    }

    static string? ConclusionOf(IEnumerable<NotebookCell> cells)
    {
        var outputs = cells.Where(c => c.Tags.Contains(Conclusion)).SelectMany(c => c.Outputs).ToList();
        var text = outputs.Select(o => o!["data"]?["text/plain"] ?? o["text"]).FirstOrDefault(t => t is not null);
        return text is null ? null : NotebookCell.Text(text).Split('\n')[0];
    }
}
