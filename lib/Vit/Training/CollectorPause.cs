using System.Runtime;

namespace Vit.Training;

/// <summary>Keeps the garbage collector from running while steps are computed, other than where it is told to.</summary>
/// <remarks>
/// TorchSharp turns every number given to an operation, and many that are not, into an object that holds a pointer, and
/// hands that pointer to libtorch without keeping the object alive. A collection on another thread at that moment, such
/// as the one that prepares batches, frees the number before libtorch has read it: the step fails, or goes wrong without
/// a word. It takes a few thousand steps on a busy machine to see it.
/// </remarks>
sealed class CollectorPause : IDisposable
{
    // A step takes 0.2 to 1 MB, a collection a few milliseconds, in a notebook a hundred.
    const long Budget = 64 << 20;

    // Of the process: epochs may be shorter than it takes to reach the budget.
    static long collectedAt;

    long renewAt;
    bool paused;

    /// <summary>Call it between two steps: collects if it is time to, and waits until what was found is freed.</summary>
    public void Renew()
    {
        if (paused && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion && GC.GetTotalAllocatedBytes() < renewAt)
            return;
        End();
        // The pause begins with a collection only where memory is short. Left to that, what steps leave behind adds up.
        if (GC.GetTotalAllocatedBytes() - collectedAt >= Budget / 2)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            collectedAt = GC.GetTotalAllocatedBytes();
        }
        try
        {
            paused = GC.TryStartNoGCRegion(Budget);
        }
        catch (InvalidOperationException)
        {
            // Somebody else has paused it.
            return;
        }
        renewAt = GC.GetTotalAllocatedBytes() + Budget / 2;
    }

    /// <summary>Lets the collector run.</summary>
    public void Dispose() => End();

    void End()
    {
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
}
