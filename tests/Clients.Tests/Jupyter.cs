using System.Diagnostics;

[assembly: AssemblyFixture(typeof(Clients.Tests.Jupyter))]

namespace Clients.Tests;

/// <summary>A Jupyter of the tests' own: it finds the kernel that is installed in a temporary folder, and nothing of the user's.</summary>
public sealed class Jupyter : IDisposable
{
    static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(20);

    /// <summary>Where .ci/run has installed the kernel already, as Jupyter's data folder.</summary>
    static readonly string? Installed = Environment.GetEnvironmentVariable("VIT_NOTEBOOKS_JUPYTER") is { Length: > 0 } folder ? folder : null;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("jupyter-");
    readonly Lazy<Task<string>> _kernel;

    public Jupyter() => _kernel = new(Install);

    public string Folder => _folder.FullName;

    /// <summary>Its data folder, below which kernels stand.</summary>
    public string Data => Installed ?? Path.Combine(Folder, "share", "jupyter");

    /// <summary>The name of the kernel, which is installed when this is first asked for.</summary>
    public Task<string> Kernel => _kernel.Value;

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>A program that will find this Jupyter.</summary>
    public ProcessStartInfo Program(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(name, arguments) { WorkingDirectory = Folder };
        foreach (var folder in new[] { "data", "config", "runtime" })
        {
            start.Environment[$"JUPYTER_{folder.ToUpperInvariant()}_DIR"] = Path.Combine(Folder, folder);
        }

        start.Environment["JUPYTER_PATH"] = Data;
        start.Environment["IPYTHONDIR"] = Path.Combine(Folder, "ipython");
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["LC_ALL"] = "C.UTF-8";
        return start;
    }

    /// <summary>A Python program of these tests.</summary>
    public ProcessStartInfo Script(string python, string name, params string[] arguments) =>
        Program(python, [Path.Combine(TheSeries.Root, "tests", "Clients.Tests", name), .. arguments]);

    async Task<string> Install()
    {
        if (Installed is null)
        {
            var (code, output) = await Programs.Run(Program("dotnet", "exec", typeof(Series).Assembly.Location, "install", "--prefix", Folder), InstallLimit);
            Assert.True(code == 0, output);
        }

        return Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(Data, "kernels"))));
    }
}
