namespace CSharpKernel;

/// <summary>The .NET installation that runs this process.</summary>
static class DotNet
{
    /// <summary>The <c>dotnet</c> program, found from the framework's folder (<c>shared/Microsoft.NETCore.App/version</c>) and not from PATH.</summary>
    public static string Host { get; } = Path.GetFullPath(Path.Combine(NotebookLoadContext.Framework, "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
