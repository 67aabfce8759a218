using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using CSharpKernel.Cells;
using CSharpKernel.Headless;
using CSharpKernel.Jupyter;
using CSharpKernel.Outputs;

namespace CSharpKernel;

/// <summary>The process that runs one notebook's cells, for a <see cref="KernelProcess"/> or for Jupyter's front ends; and the tool that is called by hand.</summary>
static class Program
{
    public const string HeadlessVerb = "headless";

    public const string JupyterVerb = "jupyter";

    static async Task<int> Main(string[] arguments)
    {
        // The same outputs on every machine.
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        switch (arguments)
        {
            case [HeadlessVerb, var folder]:
                return await Headless(folder);
            case [JupyterVerb, var connectionFile]:
                return await CommandLine.Told(() => Task.FromResult(Jupyter(connectionFile)));
            default:
                return await CommandLine.Run(arguments);
        }
    }

    static int Jupyter(string connectionFile)
    {
        // The sockets wait for threads of the pool too: so many of a cell's tasks may block without stalling them.
        ThreadPool.SetMinThreads(32, 32);
        // An exception that nobody catches, on a thread that a cell has started, shall not take the cells' state with it.
        ExceptionHandling.SetUnhandledExceptionHandler(e =>
        {
            try
            {
                // What an interrupted cell leaves behind is not told. The rest goes past Console.Error, which throws for such a cell.
                if (e.GetBaseException() is not (ThreadAbortException or ThreadInterruptedException or CellInterruptedException))
                {
                    ConsoleWriter.Target?.Write("stderr", string.Join('\n', ExceptionTrace.ToError(e, "").Traceback) + "\n");
                }
            }
            catch (Exception)
            {
                // Whatever left this would end the process.
            }

            return true;
        });
        using var build = KernelSpecs.HoldBuild();
        var log = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true });
        using var kernel = new JupyterKernel(ConnectionFile.Load(connectionFile), log.WriteLine);
        using var interruption = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            signal.Cancel = true;
            kernel.Interrupt();
        });
        EndWithParent();
        kernel.Run();
        return 0;
    }

    /// <summary>Jupyter's servers name themselves, so that no kernel outlives one that was killed.</summary>
    static void EndWithParent()
    {
        _ = int.TryParse(Environment.GetEnvironmentVariable("JPY_PARENT_PID"), CultureInfo.InvariantCulture, out var id);
        // On Windows they hand over an inherited handle; what is none of a process has no id.
        if (id == 0 || OperatingSystem.IsWindows() && (id = GetProcessId(id)) == 0)
        {
            return;
        }

        new Thread(() =>
        {
            try
            {
                using var parent = Process.GetProcessById(id);
                parent.WaitForExit();
            }
            catch (ArgumentException)
            {
                // It has ended already.
            }

            Environment.Exit(0);
        })
        { IsBackground = true }.Start();
    }

    [DllImport("kernel32")]
    static extern int GetProcessId(nint process);

    static async Task<int> Headless(string folder)
    {
        using var requests = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        using var replies = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
        using var process = Process.GetCurrentProcess();
        using var engine = new CSharpEngine(folder, output => Reply(new(Output: output)), TimeSpan.Zero);
        while (await requests.ReadLineAsync() is { } line)
        {
            var request = JsonSerializer.Deserialize<KernelProcess.Request>(line, KernelProcess.Json)!;
            var succeeded = engine.Execute(request.Code, request.Name);
            process.Refresh();
            Reply(new(Succeeded: succeeded, PeakMemory: Math.Max(process.PeakWorkingSet64, process.WorkingSet64)));
        }

        return 0;

        void Reply(KernelProcess.Reply reply)
        {
            // First, so that what cannot be written leaves nothing half done.
            var json = JsonSerializer.Serialize(reply, KernelProcess.Json);
            lock (replies)
            {
                replies.Write(KernelProcess.RecordSeparator);
                replies.Write(json);
                replies.Write('\n');
                replies.Flush();
            }
        }
    }
}
