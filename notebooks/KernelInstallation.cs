using CSharpKernel;
using CSharpKernel.Jupyter;

namespace Notebooks;

/// <summary>Builds the kernel of this repository for an installation, with what the charts of the notebooks need.</summary>
static class KernelInstallation
{
    /// <summary>
    /// Compiles ahead of time, so that the first cell does not wait for the compiler to be compiled; what that takes is a
    /// package, and where it cannot be had, the build that runs here is copied. Nothing of the solution's own build is touched.
    /// </summary>
    /// <param name="root">The repository's folder.</param>
    /// <param name="target">The folder that takes the build.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task Build(string root, string target, CancellationToken cancellation)
    {
        Console.WriteLine("Building the kernel …");
        var work = Directory.CreateTempSubdirectory("kernel-").FullName;
        try
        {
            var (code, output) = await Task.Run(
                () => DotNet.Run(
                    root, cancellation, "publish", Path.Combine("lib", "CSharpKernel", "CSharpKernel.csproj"), "--configuration", "Release",
                    "--artifacts-path", work, "--output", target, "-p:PublishReadyToRun=true", "-p:RunAnalyzers=false",
                    "--verbosity", "quiet", "-nologo", "-tl:off"),
                cancellation);
            if (code != 0)
            {
                Console.WriteLine($"Not compiled ahead of time, so that the first cell takes longer:\n{output.Trim()}");
                Directory.Delete(target, recursive: true);
                await KernelInstaller.CopyOwn(target);
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        // Jupyter's servers hand out what lies beside a kernel.json and below: charts find it there, and no notebook has to hold it.
        await File.WriteAllBytesAsync(Path.Combine(target, "plotly.min.js"), PlotlyScript.Read(Path.Combine(root, "lib", "bin", "Plotly.NET.dll")), cancellation);
    }
}
