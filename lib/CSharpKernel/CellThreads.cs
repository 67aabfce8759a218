using System.Runtime;

namespace CSharpKernel;

/// <summary>
/// The threads of one cell. Its code runs on them, what follows an <c>await</c> included, so that all of it can be
/// interrupted. Only what the cell hands to the thread pool itself cannot: it is left behind.
/// </summary>
sealed class CellThreads : SynchronizationContext
{
    const int StackSize = 16 << 20;

    /// <summary>How many threads wait for the next cell rather than end.</summary>
    const int Kept = 4;

    /// <summary>How long a thread gets to end before it is woken anew: it may have caught the interruption and gone to sleep again.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    static readonly Stack<Worker> Waiting = new();

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
        threads.Post(_ => started.SetResult(code()), null);
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

    public override SynchronizationContext CreateCopy() => this;

    public override void Post(SendOrPostCallback callback, object? state)
    {
        // Aborting a thread waits for its finally blocks, so that what is counted as running does run.
        try
        {
        }
        finally
        {
            lock (Waiting)
            {
                // Where it was interrupted, what awaited this never goes on.
                if (!_interrupted)
                {
                    var worker = Waiting.TryPop(out var waiting) ? waiting : new Worker();
                    _running.Add(worker);
                    worker.Take(this, callback, state);
                }
            }
        }
    }

    void Interrupt()
    {
        lock (Waiting)
        {
            _interrupted = true;
            foreach (var worker in _running)
            {
                worker.Abort();
            }

            while (_running.Count > 0)
            {
                if (!Monitor.Wait(Waiting, Patience))
                {
                    foreach (var worker in _running)
                    {
                        worker.Wake();
                    }
                }
            }
        }
    }

    /// <returns>Whether the worker is to wait for more.</returns>
    bool End(Worker worker)
    {
        lock (Waiting)
        {
            _running.Remove(worker);
            Monitor.PulseAll(Waiting);
            if (_interrupted || Waiting.Count >= Kept)
            {
                // An interruption that came late would meet the thread in its next work.
                return false;
            }

            Waiting.Push(worker);
            return true;
        }
    }

    sealed class Worker
    {
        readonly SemaphoreSlim _wake = new(0);
        readonly Thread _thread;
        readonly CancellationTokenSource _abort = new();
        CellThreads _threads = null!;
        SendOrPostCallback _callback = null!;
        object? _state;

        public Worker()
        {
            _thread = new Thread(Work, StackSize) { IsBackground = true };
            _thread.Start();
        }

        public void Take(CellThreads threads, SendOrPostCallback callback, object? state)
        {
            (_threads, _callback, _state) = (threads, callback, state);
            _wake.Release();
        }

        public void Abort()
        {
            // A sleeping thread must be woken to be aborted, and aborting waits until it is.
            Wake();
            new Thread(_abort.Cancel) { IsBackground = true }.Start();
        }

        public void Wake() => _thread.Interrupt();

        void Work()
        {
            do
            {
                _wake.Wait();
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

                _state = null;
            }
            while (Ended());
        }

        bool Ended()
        {
            while (true)
            {
                try
                {
                    return _threads.End(this);
                }
                catch (ThreadInterruptedException)
                {
                    // Woken while it waited for the lock.
                }
            }
        }
    }
}
