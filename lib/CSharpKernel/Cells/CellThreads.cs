using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace CSharpKernel.Cells;

/// <summary>
/// The threads of one cell. Its code runs on them, what follows an <c>await</c> included, so that all of it can be
/// interrupted. Only what the cell hands to the thread pool itself cannot: it is left behind.
/// </summary>
sealed class CellThreads : SynchronizationContext
{
    const int StackSize = 16 << 20;

    /// <summary>How many threads wait for the next cell rather than end.</summary>
    const int Kept = 4;

    /// <summary>How often a thread is woken before it is aborted: an abort may hit code that holds a lock, which nobody frees then.</summary>
    const int Rounds = 4;

    /// <summary>How long a thread gets to end before it is woken anew: it may have caught the interruption and gone to sleep again.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    static readonly AsyncLocal<CellThreads?> Cell = new();

    static readonly Stack<Worker> Waiting = new();

    /// <summary>Whether any cell was, so that loops are fast until then. Loops on the pool may outlive their cell, and ask later.</summary>
    public static volatile bool AnyInterrupted;

    readonly HashSet<Worker> _running = [];
    volatile bool _interrupted;

    CellThreads()
    {
    }

    /// <summary>Runs code to its end.</summary>
    /// <exception cref="OperationCanceledException">It was interrupted; none of it runs any more.</exception>
    public static T Run<T>(Func<Task<T>> code, CancellationToken cancellation)
    {
        var threads = new CellThreads();
        var started = new TaskCompletionSource<Task<T>>();
        threads.Post(_ =>
        {
            Cell.Value = threads;
            started.SetResult(code());
        }, null);
        var ended = started.Task.Unwrap();
        try
        {
            Task.WaitAny([ended], cancellation);
        }
        catch (OperationCanceledException)
        {
            threads.Interrupt();
            throw;
        }

        return ended.GetAwaiter().GetResult();
    }

    /// <summary>Ends what a cell has started, on any thread, where the cell was interrupted.</summary>
    /// <exception cref="CellInterruptedException">It was.</exception>
    public static void ThrowIfInterrupted()
    {
        if (Cell.Value is { _interrupted: true })
        {
            throw new CellInterruptedException();
        }
    }

    public override SynchronizationContext CreateCopy() => this;

    // The optimising compiler takes an empty try block away, and what is in finally with it out of finally.
    [MethodImpl(MethodImplOptions.NoOptimization)]
    public override void Post(SendOrPostCallback callback, object? state)
    {
        // Aborting a thread waits for its finally blocks, so that what is counted as running does run.
        try
        {
        }
        finally
        {
            Locked(() =>
            {
                // Where it was interrupted, what awaited this never goes on.
                if (!_interrupted)
                {
                    var worker = Waiting.TryPop(out var waiting) ? waiting : new Worker();
                    _running.Add(worker);
                    worker.Take(this, callback, state);
                }
            });
        }
    }

    /// <summary>Does something that does not wait itself, with the lock held.</summary>
    static void Locked(Action action) => Uninterrupted(() =>
    {
        lock (Waiting)
        {
            action();
        }
    });

    /// <summary>Waits, and does then what need not wait any more, however often the thread is woken before.</summary>
    static void Uninterrupted(Action action)
    {
        while (true)
        {
            try
            {
                action();
                return;
            }
            catch (ThreadInterruptedException)
            {
                // It still waits.
            }
        }
    }

    void Interrupt()
    {
        lock (Waiting)
        {
            _interrupted = true;
            AnyInterrupted = true;
            for (var round = 0; _running.Count > 0; round++)
            {
                foreach (var worker in _running)
                {
                    worker.Interrupt(abort: round >= Rounds);
                }

                Monitor.Wait(Waiting, Patience);
            }
        }
    }

    /// <returns>Whether the worker is to wait for more.</returns>
    bool End(Worker worker)
    {
        var kept = false;
        Locked(() =>
        {
            _running.Remove(worker);
            Monitor.PulseAll(Waiting);
            // An interruption that came late would meet the thread in its next work.
            kept = !_interrupted && Waiting.Count < Kept;
            if (kept)
            {
                Waiting.Push(worker);
            }
        });
        return kept;
    }

    sealed class Worker
    {
        readonly AutoResetEvent _wake = new(false);
        readonly Thread _thread;
        readonly CancellationTokenSource _abort = new();
        CellThreads _threads = null!;
        SendOrPostCallback _callback = null!;
        object? _state;
        bool _aborted;

        public Worker()
        {
            _thread = new Thread(Work, StackSize) { IsBackground = true };
            _thread.Start();
        }

        public void Take(CellThreads threads, SendOrPostCallback callback, object? state)
        {
            (_threads, _callback, _state) = (threads, callback, state);
            _wake.Set();
        }

        public void Interrupt(bool abort)
        {
            // A sleeping thread must be woken to be aborted, and aborting waits until it is.
            _thread.Interrupt();
            if (abort && !_aborted)
            {
                _aborted = true;
                new Thread(_abort.Cancel) { IsBackground = true }.Start();
            }
        }

        void Work()
        {
            do
            {
                // It may be interrupted as soon as it is created.
                Uninterrupted(() => _wake.WaitOne());
                SetSynchronizationContext(_threads);
                try
                {
                    // Its own token, because ControlledExecution never returns where its token cannot be cancelled (seen on .NET 10.0).
#pragma warning disable SYSLIB0046 // Meant for this: it stops code that does not cooperate, in a process that runs only that code.
                    ControlledExecution.Run(() => _callback(_state), _abort.Token);
#pragma warning restore SYSLIB0046
                }
                catch when (_threads._interrupted)
                {
                    // As was asked.
                }
                catch (Exception e)
                {
                    // What nobody catches leaves a thread of its own, so that this one is counted out.
                    new Thread(ExceptionDispatchInfo.Capture(e).Throw).Start();
                }

                Cell.Value = null;
                _state = null;
            }
            while (_threads.End(this));
        }
    }
}
