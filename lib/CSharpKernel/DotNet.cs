namespace CSharpKernel;

/// <summary>The .NET installation that runs this process.</summary>
static class DotNet
{
    static readonly string Program = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";

    /// <summary>The <c>dotnet</c> program, found from the framework's folder (<c>shared/Microsoft.NETCore.App/version</c>) and not from PATH.</summary>
    public static string Host { get; } = Path.GetFullPath(Path.Combine(NotebookLoadContext.Framework, "..", "..", "..", Program));

    /// <summary>The same program as PATH gives it, which stays where it is when .NET is updated; <see cref="Host"/> where PATH has it not.</summary>
    public static string Command =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathFullyQualified).Select(f => Path.Combine(f, Program))
            .FirstOrDefault(f => File.Exists(f) && (File.ResolveLinkTarget(f, returnFinalTarget: true)?.FullName ?? f) == Host) ?? Host;
}
