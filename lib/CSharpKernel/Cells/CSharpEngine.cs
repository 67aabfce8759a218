using System.Diagnostics;
using System.Text.Json.Nodes;
using CSharpKernel.Assistance;
using CSharpKernel.Documents;
using CSharpKernel.Outputs;

namespace CSharpKernel.Cells;

/// <summary>
/// Runs the cells of one C# notebook, one after another, and keeps their state. What they print and show goes to a
/// sink while they run. One engine serves a process, because the console is the process's.
/// </summary>
public sealed class CSharpEngine : IDisposable
{
    static volatile CSharpEngine? _current;

    readonly string _folder;
    readonly OutputQueue _queue;
    readonly References _references;
    readonly Submissions _submissions;
    readonly Lock _oneCell = new();

    /// <summary>Starts with no state.</summary>
    /// <param name="folder">The notebook's folder, to which paths in <c>#r</c> and <c>#!import</c> are relative.</param>
    /// <param name="sink">Takes the outputs, one at a time, in order, on the thread that caused them.</param>
    /// <param name="delay">How long printed text may wait to be joined with what follows; zero where it must not be lost in a crash.</param>
    public CSharpEngine(string folder, Action<Output> sink, TimeSpan delay)
    {
        _folder = Path.GetFullPath(folder);
        _queue = new OutputQueue(sink, delay);
        var context = new NotebookLoadContext();
        _references = new References(context, _folder);
        _submissions = new Submissions(context, _references);
        Assistant = new CodeAssistant(_submissions, _references, _folder);
        _current = this;
        ConsoleWriter.Target = _queue;
        ConsoleWriter.Install();
    }

    /// <summary>Helps to write the next cell.</summary>
    public CodeAssistant Assistant { get; }

    /// <summary>The variables that the next cell can see; on any thread.</summary>
    internal IReadOnlyList<Variable> Variables => _submissions.Variables;

    /// <summary>Asks the reader for a line, given a prompt and whether the answer is secret; null where there is nobody to ask.</summary>
    public Func<string, bool, string>? Input { get; init; }

    /// <exception cref="OperationCanceledException">The cell that sends it was interrupted.</exception>
    internal static void Send(Output output)
    {
        CellThreads.ThrowIfInterrupted();
        _current?._queue.Send(output);
    }

    /// <exception cref="InvalidOperationException">There is nobody to ask.</exception>
    /// <exception cref="OperationCanceledException">The cell that asks was interrupted.</exception>
    internal static string Ask(string prompt, bool secret)
    {
        CellThreads.ThrowIfInterrupted();
        _current?._queue.Flush();
        return _current?.Input is { } ask
            ? ask(prompt, secret)
            : throw new InvalidOperationException("A notebook that runs by itself has nobody to ask: Console.ReadLine, input and password have no input here.");
    }

    /// <summary>Runs one cell to its end. All it caused, its error included, has gone to the sink when this returns.</summary>
    /// <param name="code">The cell's text.</param>
    /// <param name="name">What it is called in errors, for instance "cell 3".</param>
    /// <param name="cancellation">Interrupts it: loops, sleeps and awaits. State stays as it is then.</param>
    /// <returns>Whether it ended without error.</returns>
    public bool Execute(string code, string name, CancellationToken cancellation = default)
    {
        lock (_oneCell)
        {
            try
            {
                // A cell before may have put something else in its place.
                ConsoleWriter.Install();
                var watch = Stopwatch.StartNew();
                RunParts(code, name, _folder, [], cancellation, out var timed);
                if (timed)
                {
                    _queue.Send(new Output.Display(MimeBundle.OfText($"Wall time: {watch.ElapsedMilliseconds} ms", "text/plain"), "time"));
                }

                return true;
            }
            catch (Exception e)
            {
                _queue.Send(ToError(e, name, cancellation));
                return false;
            }
            finally
            {
                _queue.Flush();
            }
        }
    }

    /// <summary>Sends what waits to be joined with more.</summary>
    internal void Flush() => _queue.Flush();

    /// <summary>
    /// Loads what the first cell would have to wait for; on any thread. It is a link of the chain: compiled beside it, it
    /// would give the compiler a second idea of each assembly, and what cells use of them would be ambiguous.
    /// </summary>
    public void WarmUp()
    {
        lock (_oneCell)
        {
            _submissions.Compile("{ Console.WriteLine(1); }", "warm-up", _ => { }, out _, default);
        }

        MimeBundle.Of(1);
    }

    /// <summary>Evaluates an expression over the cells' state.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <param name="cancellation">Interrupts it.</param>
    /// <returns>Its value as a MIME bundle, null where it has none; or why it has failed.</returns>
    public (JsonObject? Value, Output.Error? Error) Evaluate(string expression, string name, CancellationToken cancellation = default)
    {
        lock (_oneCell)
        {
            try
            {
                return (RunCode(expression, name, cancellation), null);
            }
            catch (Exception e)
            {
                return (null, ToError(e, name, cancellation));
            }
            finally
            {
                _queue.Flush();
            }
        }
    }

    static Output.Error ToError(Exception exception, string name, CancellationToken cancellation) =>
        exception is OperationCanceledException && cancellation.IsCancellationRequested
            ? new(typeof(OperationCanceledException).FullName!, "The cell was interrupted.", [$"{name} was interrupted."], null)
            : ExceptionTrace.ToError(exception, name);

    void RunParts(string code, string name, string folder, IReadOnlyList<string> importing, CancellationToken cancellation, out bool timed)
    {
        foreach (var part in CellPart.Split(code, name, out timed))
        {
            switch (part.Kind)
            {
                case CellPartKind.Markdown or CellPartKind.Html:
                    CellFunctions.DisplayAs(part.Text, part.Kind == CellPartKind.Html ? "text/html" : "text/markdown");
                    break;
                case CellPartKind.Names:
                    CellFunctions.DisplayAs(string.Join(", ", _submissions.Variables.Select(v => v.Name)), "text/plain");
                    break;
                case CellPartKind.Variables:
                    DisplayedValue.Show(VariableTable.Of(_submissions.Variables));
                    break;
                case CellPartKind.Import or CellPartKind.Load:
                    Import(part, name, folder, importing, cancellation);
                    break;
                default:
                    if (RunCode(part.Text, name, cancellation) is { } value)
                    {
                        _queue.Send(new Output.Result(value));
                    }

                    break;
            }
        }
    }

    /// <returns>The value of the expression that ends it, as a MIME bundle; null if none does.</returns>
    JsonObject? RunCode(string code, string name, CancellationToken cancellation)
    {
        code = _references.Follow(code, name, out var scripts, cancellation);
        foreach (var script in scripts)
        {
            RunCells(DibFile.Load(script), script, Path.GetDirectoryName(script)!, [script], cancellation);
        }

        var run = _submissions.Compile(code, name, w => _queue.Write("stderr", w), out var hasResult, cancellation);
        return run is null ? null : CellThreads.Run(async () =>
        {
            var value = await run();
            // A value may also come of a return; what was displayed is no value to show once more.
            return value is DisplayedValue || value is null && !hasResult ? null : MimeBundle.Of(value);
        }, cancellation);
    }

    void Import(CellPart part, string name, string folder, IReadOnlyList<string> importing, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(part.Text, folder);
        CellException Error(string reason) => new("ImportError", $"{(part.Kind == CellPartKind.Load ? "#load" : "#!import")} {part.Text}: {reason}", name, part.Line);
        if (!File.Exists(path))
        {
            throw Error("there is no such file in or relative to the folder.");
        }

        if (importing.Contains(path))
        {
            throw Error("the file imports itself.");
        }

        IReadOnlyList<string> inner = [.. importing, path];
        var extension = Path.GetExtension(path).ToLowerInvariant();
        switch (extension)
        {
            case var _ when part.Kind == CellPartKind.Load || extension is ".cs" or ".csx":
                RunParts(File.ReadAllText(path), part.Text, Path.GetDirectoryName(path)!, inner, cancellation, out _);
                break;
            case ".ipynb" or ".dib":
                RunCells(extension == ".dib" ? DibFile.Load(path) : Notebook.Load(path), part.Text, Path.GetDirectoryName(path)!, inner, cancellation);
                break;
            default:
                throw Error("the extension is none of .cs, .csx, .ipynb and .dib.");
        }
    }

    /// <summary>Runs the code of a notebook's cells, one after the other.</summary>
    void RunCells(Notebook notebook, string name, string folder, IReadOnlyList<string> importing, CancellationToken cancellation)
    {
        foreach (var (i, cell) in notebook.Cells.Where(c => c.IsCode).Index())
        {
            RunParts(cell.Source, $"{name}, cell {i + 1}", folder, importing, cancellation, out _);
        }
    }

    /// <summary>Sends what is still buffered.</summary>
    public void Dispose()
    {
        _queue.Dispose();
        if (_current == this)
        {
            _current = null;
            ConsoleWriter.Target = null;
        }
    }
}
