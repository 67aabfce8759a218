using System.Runtime.CompilerServices;
using Xunit.Sdk;
using Xunit.v3;

// libtorch's random state and default device belong to the process, and it uses every core by itself.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: TestPipelineStartup(typeof(Tests.OneAtATime))]

namespace Tests;

/// <summary>
/// Lets one test program run at a time: "dotnet test" starts as many as there are cores, and two trainings on the
/// same cores take far more than twice as long.
/// </summary>
public sealed class OneAtATime : ITestPipelineStartup
{
    readonly Mutex mutex = new(initiallyOwned: false, "vit-notebooks-tests");
    readonly ManualResetEventSlim ended = new();

    /// <summary>CsCheck would look for counterexamples on all cores, each of which libtorch uses as well.</summary>
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void OneThread() => Check.Threads = 1;

    /// <summary>Takes the mutex on a thread of its own: it belongs to a thread, and ends with it.</summary>
    public ValueTask StartAsync(IMessageSink diagnosticMessageSink)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                mutex.WaitOne();
            }
            catch (AbandonedMutexException)
            {
                // The program before this one was killed: it is ours all the same.
            }
            taken.SetResult();
            ended.Wait();
            mutex.ReleaseMutex();
        })
        { IsBackground = true }.Start();
        return new(taken.Task);
    }

    public ValueTask StopAsync()
    {
        ended.Set();
        return default;
    }
}
