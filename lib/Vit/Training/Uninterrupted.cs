using System.Runtime.CompilerServices;

namespace Vit.Training;

/// <summary>
/// Work that is done whole: a kernel interrupts a cell by aborting its thread (<see cref="System.Runtime.ControlledExecution"/>),
/// and a thread is never aborted inside a finally block.
/// </summary>
static class Uninterrupted
{
    // Optimized, there would be no finally: where nothing is tried, the compiler takes it for plain code.
    [MethodImpl(MethodImplOptions.NoOptimization)]
    public static void Run(Action work)
    {
        try
        {
        }
        finally
        {
            work();
        }
        // An abort that waited is raised at the next return from native code: let that be here. In Tensor.Dispose the memory
        // would be free and the handle still there, and would be freed again.
        Thread.Sleep(0);
    }
}
