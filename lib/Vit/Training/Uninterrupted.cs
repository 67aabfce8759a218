namespace Vit.Training;

/// <summary>
/// Work that is done whole: a kernel interrupts a cell by aborting its thread (<see cref="System.Runtime.ControlledExecution"/>),
/// and a thread is never aborted inside a finally block.
/// </summary>
static class Uninterrupted
{
    public static void Run(Action work)
    {
        try
        {
        }
        finally
        {
            work();
        }
    }
}
