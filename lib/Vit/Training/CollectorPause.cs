using System.Runtime;

namespace Vit.Training;

/// <summary>While one is there, the garbage collector runs only when no thread is at <see cref="Work"/>.</summary>
/// <remarks>
/// TorchSharp turns every number given to an operation, and many that are not, into an object that holds a pointer, and
/// hands that pointer to libtorch without keeping the object alive. A collection at that moment, which another thread may
/// bring about, frees the number before libtorch has read it: the operation fails, or goes wrong without a word. One thread
/// that divides and one that collects see it within seconds.
/// </remarks>
sealed class CollectorPause : IDisposable
{
    // A step takes 0.2 to 1 MB, a collection a few milliseconds, in a notebook a hundred.
    const long MostBudget = 64 << 20, LeastBudget = 1 << 20;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    static readonly object Gate = new();
    // Of the process: epochs may be shorter than it takes to reach the budget.
    static long budget = MostBudget, collectedAt, renewAt;
    static int pauses, working;
    static bool paused;

    [ThreadStatic]
    static int depth;

    /// <summary>Begins a pause, which lasts until it is disposed.</summary>
    public CollectorPause()
    {
        lock (Gate)
            pauses++;
    }

    /// <summary>Begins work of this thread, which lasts until what is returned is disposed. Between two pieces of work, what has come together is collected.</summary>
    public static IDisposable Work()
    {
        if (depth++ == 0)
            lock (Gate)
            {
                // Those who are at work finish first; if one of them waits for this thread, it has to do without.
                while (Due && working > 0 && Monitor.Wait(Gate, Patience))
                {
                }
                if (Due && working == 0)
                    Renew();
                else if (Due)
                    (paused, renewAt) = (paused && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion, GC.GetTotalAllocatedBytes() + budget / 8);
                working++;
            }
        return new AtWork();
    }

    /// <summary>Lets the collector run, if no other pause is left.</summary>
    public void Dispose()
    {
        lock (Gate)
            if (--pauses == 0)
                End();
    }

    static bool Due => pauses > 0 && (GC.GetTotalAllocatedBytes() >= renewAt || paused && GCSettings.LatencyMode != GCLatencyMode.NoGCRegion);

    static void Renew()
    {
        End();
        // The pause begins with a collection only where memory is short. Left to that, what steps leave behind adds up.
        if (GC.GetTotalAllocatedBytes() - collectedAt >= budget / 2)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            collectedAt = GC.GetTotalAllocatedBytes();
        }
        paused = Start();
        renewAt = GC.GetTotalAllocatedBytes() + budget / 2;
    }

    static bool Start()
    {
        while (true)
            try
            {
                return GC.TryStartNoGCRegion(budget);
            }
            catch (ArgumentOutOfRangeException) when (budget > LeastBudget)
            {
                // More than the heap may have.
                budget /= 2;
            }
            catch (Exception exception) when (exception is ArgumentOutOfRangeException or InvalidOperationException)
            {
                // Hardly any heap at all, or somebody else has paused the collector.
                return false;
            }
    }

    static void End()
    {
        renewAt = 0;
        if (!paused)
            return;
        paused = false;
        try
        {
            GC.EndNoGCRegion();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself: more was allocated than was expected.
        }
    }

    sealed class AtWork : IDisposable
    {
        public void Dispose()
        {
            if (--depth > 0)
                return;
            lock (Gate)
                if (--working == 0)
                    Monitor.PulseAll(Gate);
        }
    }
}
