using System.Diagnostics;
using System.Runtime;
using CSharpKernel.Assistance;

namespace CSharpKernel;

/// <summary>
/// Runs the cells of one C# notebook, one after another, and keeps their state. What they print and show goes to a
/// sink while they run. One engine serves a process, because the console is the process's.
/// </summary>
public sealed class CSharpEngine : IDisposable
{
    static volatile CSharpEngine? _current;

    readonly string _folder;
    readonly OutputQueue _queue;
    readonly Submissions _submissions;
    readonly SemaphoreSlim _oneCell = new(1);

    /// <summary>Starts with no state.</summary>
    /// <param name="folder">The notebook's folder, to which paths in <c>#r</c> and <c>#!import</c> are relative.</param>
    /// <param name="sink">Takes the outputs, one at a time, in order, on the thread that caused them.</param>
    /// <param name="delay">How long printed text may wait to be joined with what follows; zero where it must not be lost in a crash.</param>
    public CSharpEngine(string folder, Action<Output> sink, TimeSpan delay)
    {
        _folder = Path.GetFullPath(folder);
        _queue = new OutputQueue(sink, delay);
        var context = new NotebookLoadContext();
        var references = new References(context, _folder);
        _submissions = new Submissions(context, references, _folder);
        Assistant = new CodeAssistant(_submissions, references, _folder);
        _current = this;
        ConsoleWriter.Target = _queue;
        ConsoleWriter.Install();
    }

    /// <summary>Helps to write the next cell.</summary>
    public CodeAssistant Assistant { get; }

    internal static void Send(Output output) => _current?._queue.Send(output);

    /// <summary>Runs one cell to its end. All it caused, its error included, has gone to the sink when this completes.</summary>
    /// <param name="code">The cell's text.</param>
    /// <param name="name">What it is called in errors, for instance "cell 3".</param>
    /// <param name="cancellation">Interrupts it: loops, sleeps and awaits. State stays as it is then.</param>
    /// <returns>Whether it ended without error.</returns>
    public async Task<bool> Execute(string code, string name, CancellationToken cancellation = default)
    {
        await _oneCell.WaitAsync(cancellation);
        try
        {
            var watch = Stopwatch.StartNew();
            var timed = await RunParts(code, name, _folder, [], cancellation);
            if (timed)
            {
                _queue.Send(new Output.Display(MimeBundle.OfText($"Wall time: {watch.ElapsedMilliseconds} ms", "text/plain"), "time"));
            }

            return true;
        }
        catch (Exception e)
        {
            var interrupted = e is OperationCanceledException && cancellation.IsCancellationRequested;
            _queue.Send(interrupted
                ? new Output.Error(typeof(OperationCanceledException).FullName!, "The cell was interrupted.", [$"{name} was interrupted."], null)
                : ExceptionTrace.ToError(e, name));
            return false;
        }
        finally
        {
            _queue.Flush();
            _oneCell.Release();
        }
    }

    async Task<bool> RunParts(string code, string name, string folder, IReadOnlyList<string> importing, CancellationToken cancellation)
    {
        var parts = CellPart.Split(code, name, out var timed);
        foreach (var part in parts)
        {
            switch (part.Kind)
            {
                case CellPartKind.Markdown or CellPartKind.Html:
                    CellFunctions.DisplayAs(part.Text, part.Kind == CellPartKind.Html ? "text/html" : "text/markdown");
                    break;
                case CellPartKind.Import:
                    await Import(part, name, folder, importing, cancellation);
                    break;
                default:
                    await RunCode(part.Text, name, cancellation);
                    break;
            }
        }

        return timed;
    }

    async Task RunCode(string code, string name, CancellationToken cancellation)
    {
        var run = _submissions.Compile(code, name, w => _queue.Write("stderr", w), out var hasResult, cancellation);
        if (run is null)
        {
            return;
        }

        var result = await OnThreadOfItsOwn(run, cancellation);
        if (hasResult)
        {
            _queue.Send(new Output.Result(MimeBundle.Of(result)));
        }
    }

    /// <summary>Runs a cell up to its first await on a thread that can be interrupted, and then waits for the rest.</summary>
    static async Task<object?> OnThreadOfItsOwn(Func<Task<object?>> run, CancellationToken cancellation)
    {
        // Its own source, because ControlledExecution never returns where its token cannot be cancelled (seen on .NET 10.0).
        var abort = new CancellationTokenSource();
        var started = new TaskCompletionSource<Task<object?>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                Task<object?>? task = null;
#pragma warning disable SYSLIB0046 // Meant for this: it stops code that does not cooperate, in a process that runs only that code.
                ControlledExecution.Run(() => task = run(), abort.Token);
#pragma warning restore SYSLIB0046
                started.SetResult(task!);
            }
            catch (Exception e) when (e is ThreadInterruptedException or OperationCanceledException && cancellation.IsCancellationRequested)
            {
                started.SetCanceled(cancellation);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        }, maxStackSize: 16 << 20)
        {
            IsBackground = true,
        };
        thread.Start();
        await using var interruption = cancellation.Register(() =>
        {
            // An abort waits for a sleeping thread to wake, so the thread is woken first.
            thread.Interrupt();
            abort.CancelAsync();
        });
        return await (await started.Task).WaitAsync(cancellation);
    }

    async Task Import(CellPart part, string name, string folder, IReadOnlyList<string> importing, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(part.Text, folder);
        CellException Error(string reason) => new("ImportError", $"#!import {part.Text}: {reason}", name, part.Line);
        if (!File.Exists(path))
        {
            throw Error("there is no such file in or relative to the folder.");
        }

        if (importing.Contains(path))
        {
            throw Error("the file imports itself.");
        }

        IReadOnlyList<string> inner = [.. importing, path];
        switch (Path.GetExtension(path).ToLowerInvariant())
        {
            case ".cs" or ".csx":
                await RunParts(File.ReadAllText(path), part.Text, Path.GetDirectoryName(path)!, inner, cancellation);
                break;
            case ".ipynb":
                var number = 0;
                foreach (var cell in Notebook.Load(path).Cells.Where(c => c.IsCode))
                {
                    await RunParts(cell.Source, $"{part.Text}, cell {++number}", Path.GetDirectoryName(path)!, inner, cancellation);
                }

                break;
            default:
                throw Error("the extension is none of .cs, .csx and .ipynb.");
        }
    }

    /// <summary>Sends what is still buffered.</summary>
    public void Dispose()
    {
        _queue.Dispose();
        _oneCell.Dispose();
        if (_current == this)
        {
            _current = null;
            ConsoleWriter.Target = null;
        }
    }
}
