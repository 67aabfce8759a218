using CSharpKernel;
using CSharpKernel.Jupyter;

namespace Notebooks;

/// <summary>Installs the kernel of this repository for Jupyter's front ends, and removes it.</summary>
static class KernelInstallation
{
    /// <summary>Builds the kernel into a kernelspec.</summary>
    /// <param name="root">The repository's folder.</param>
    /// <param name="prefix">As in <see cref="KernelSpecs(string?)"/>.</param>
    /// <param name="name">The kernelspec's name; null for the preferred one, or another where that is taken.</param>
    /// <param name="cancellation">Stops the build.</param>
    /// <returns>The program's exit code.</returns>
    public static async Task<int> Install(string root, string? prefix, string? name, CancellationToken cancellation)
    {
        try
        {
            var specs = new KernelSpecs(prefix);
            if (name is null && specs.TakenBy(KernelSpecs.PreferredName) is { } other)
            {
                name = specs.OtherName();
                Console.WriteLine($"The name {KernelSpecs.PreferredName} belongs to the kernel of another program, in {other}; it stays as it is.");
                Console.WriteLine($"This kernel takes the name {name}: choose it in the front end when a notebook is opened.");
            }

            Console.WriteLine("Building the kernel …");
            var folder = await specs.Install(name ?? KernelSpecs.PreferredName, target => Build(root, target, cancellation));
            Console.WriteLine($"Installed in {folder}");
            return 0;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>Removes the kernelspecs that <see cref="Install"/> has made.</summary>
    /// <returns>The program's exit code.</returns>
    public static int Uninstall(string? prefix, string? name)
    {
        try
        {
            var removed = new KernelSpecs(prefix).Uninstall(name);
            Console.WriteLine(removed.Count == 0 ? "This kernel is not installed there." : $"Removed {string.Join(", ", removed)}");
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>
    /// Compiles ahead of time, so that the first cell does not wait for the compiler to be compiled; what that takes is a
    /// package, and where it cannot be had, the build that runs here is copied. Nothing of the solution's own build is touched.
    /// </summary>
    static async Task Build(string root, string target, CancellationToken cancellation)
    {
        var work = Directory.CreateTempSubdirectory("kernel-").FullName;
        try
        {
            var (code, output) = await Task.Run(
                () => DotNet.Run(
                    root, cancellation, "publish", Path.Combine("lib", "CSharpKernel", "CSharpKernel.csproj"), "--configuration", "Release",
                    "--artifacts-path", work, "--output", target, "-p:PublishReadyToRun=true", "-p:RunAnalyzers=false",
                    "--verbosity", "quiet", "-nologo", "-tl:off"),
                cancellation);
            if (code == 0)
            {
                return;
            }

            Console.WriteLine($"Not compiled ahead of time, so that the first cell takes longer:\n{output.Trim()}");
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        Directory.Delete(target, recursive: true);
        Directory.CreateDirectory(target);
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(typeof(KernelSpecs).Assembly.Location)!))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }
}
