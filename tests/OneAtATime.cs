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

    public ValueTask StartAsync(IMessageSink diagnosticMessageSink)
    {
        try
        {
            mutex.WaitOne();
        }
        catch (AbandonedMutexException)
        {
            // The program before this one ended without giving it back: it is ours all the same.
        }
        return default;
    }

    // Held until the process ends: a mutex belongs to a thread, and this is called on another one.
    public ValueTask StopAsync() => default;
}
