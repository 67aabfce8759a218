using System.Diagnostics;
using System.Text;

namespace Clients.Tests;

/// <summary>Programs that are no part of .NET. Where one is missing, the test that needs it is skipped and says what to install.</summary>
static class Programs
{
    /// <summary>A Python that has a module.</summary>
    /// <param name="module">The module's name.</param>
    /// <param name="package">Debian's package that holds it.</param>
    public static string Python(string module, string package)
    {
        // Debian's packages belong to Debian's Python, which need not be the first on PATH.
        string[] candidates = OperatingSystem.IsWindows() ? ["python"] : ["/usr/bin/python3", "python3"];
        return candidates.FirstOrDefault(python => Succeeds(python, "-c", $"import {module}"))
            ?? throw Missing($"Python with the module {module}", package);
    }

    /// <summary>A program on PATH.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="package">Debian's package that holds it; null where none does.</param>
    public static string Named(string name, string? package) => Succeeds(name, name == "tmux" ? "-V" : "--version") ? name : throw Missing(name, package);

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code, and what it wrote to both of its streams.</returns>
    /// <exception cref="TimeoutException">It took longer than the limit; the message holds what it had written.</exception>
    public static async Task<(int ExitCode, string Output)> Run(ProcessStartInfo start, TimeSpan limit)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardOutputEncoding = start.StandardErrorEncoding = Encoding.UTF8;
        var output = new StringBuilder();
        void Add(object sender, DataReceivedEventArgs received)
        {
            lock (output)
            {
                output.AppendLine(received.Data);
            }
        }

        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += Add;
        process.ErrorDataReceived += Add;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(limit);
        try
        {
            await process.WaitForExitAsync(stop.Token);
            return (process.ExitCode, output.ToString());
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            lock (output)
            {
                throw new TimeoutException($"{start.FileName} ran longer than {limit.TotalSeconds} s:\n{output}");
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    static bool Succeeds(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    static Exception Missing(string what, string? package)
    {
        Assert.Skip(package is null ? $"Needs {what}, which Debian 12 does not have." : $"Needs {what}: apt-get install {package} (Debian's name; other systems have their own).");
        return new UnreachableException();
    }
}
