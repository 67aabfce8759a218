using System.Diagnostics;
using CSharpKernel.Cells;

namespace CSharpKernel;

/// <summary>The .NET installation that runs this process.</summary>
public static class DotNet
{
    static readonly string Program = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";

    /// <summary>The <c>dotnet</c> program, found from the framework's folder (<c>shared/Microsoft.NETCore.App/version</c>) and not from PATH.</summary>
    public static string Host { get; } = Path.GetFullPath(Path.Combine(NotebookLoadContext.Framework, "..", "..", "..", Program));

    /// <summary>Runs a command of the SDK to its end; no node of MSBuild stays behind.</summary>
    /// <param name="folder">The folder it runs in.</param>
    /// <param name="cancellation">Ends it, and what it has started.</param>
    /// <param name="arguments">For instance <c>restore</c>.</param>
    /// <returns>Its exit code, and what it has printed on standard output, in English.</returns>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public static (int ExitCode, string Output) Run(string folder, CancellationToken cancellation, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Host, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            Environment = { ["DOTNET_CLI_UI_LANGUAGE"] = "en", ["MSBUILDDISABLENODEREUSE"] = "1" },
        };
        using var process = Process.Start(start)!;
        using var stop = cancellation.Register(() => process.Kill(entireProcessTree: true));
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        cancellation.ThrowIfCancellationRequested();
        return (process.ExitCode, output);
    }

    /// <summary>The same program as PATH gives it, which stays where it is when .NET is updated; <see cref="Host"/> where PATH has it not.</summary>
    public static string Command =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified).Select(f => Path.Combine(f, Program))
            .FirstOrDefault(f => File.Exists(f) && (File.ResolveLinkTarget(f, returnFinalTarget: true)?.FullName ?? f) == Host) ?? Host;
}
