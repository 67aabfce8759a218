using System.Runtime.InteropServices;

namespace Notebooks.Tests;

/// <summary>Starts processes in a network namespace of their own, in which there is nothing to reach. Linux lets root do so.</summary>
static class NoNetwork
{
    const int NewNetwork = 0x40000000;

    /// <summary>Whether this process may: tried on a thread that ends, since the namespace is the thread's.</summary>
    public static bool IsAllowed { get; } = OnOwnThread(Leave).GetAwaiter().GetResult();

    /// <summary>Runs what starts a process before it first waits; the process then has no network, where that is allowed.</summary>
    public static async Task<T> Run<T>(Func<Task<T>> start) => await await OnOwnThread(() =>
    {
        if (IsAllowed)
        {
            Leave();
        }

        return start();
    });

    static Task<T> OnOwnThread<T>(Func<T> action)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                result.SetResult(action());
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        })
        { IsBackground = true }.Start();
        return result.Task;
    }

    static bool Leave() => OperatingSystem.IsLinux() && Unshare(NewNetwork) == 0;

    [DllImport("libc", EntryPoint = "unshare")]
    static extern int Unshare(int flags);
}
