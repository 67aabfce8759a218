using System.Diagnostics;

[assembly: AssemblyFixture(typeof(Clients.Tests.Jupyter))]

namespace Clients.Tests;

/// <summary>A Jupyter of the tests' own: it finds the kernel that is installed in a temporary folder, and nothing of the user's.</summary>
public sealed class Jupyter : IAsyncLifetime
{
    static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(5);

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("jupyter-");

    public string Folder => _folder.FullName;

    /// <summary>The name that the kernel was installed under.</summary>
    public string Kernel { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var (code, output) = await Programs.Run(Start("dotnet", "exec", typeof(Series).Assembly.Location, "install", "--prefix", Folder), InstallLimit);
        Assert.True(code == 0, output);
        Kernel = Path.GetFileName(Assert.Single(Directory.GetDirectories(Path.Combine(Folder, "share", "jupyter", "kernels"))));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return default;
    }

    /// <summary>A program that will find this Jupyter.</summary>
    public ProcessStartInfo Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder };
        foreach (var (name, value) in Environment())
        {
            start.Environment[name] = value;
        }

        return start;
    }

    IEnumerable<(string Name, string Value)> Environment() =>
    [
        ("JUPYTER_PATH", Path.Combine(Folder, "share", "jupyter")),
        ("JUPYTER_DATA_DIR", Path.Combine(Folder, "data")),
        ("JUPYTER_CONFIG_DIR", Path.Combine(Folder, "config")),
        ("JUPYTER_RUNTIME_DIR", Path.Combine(Folder, "runtime")),
        ("IPYTHONDIR", Path.Combine(Folder, "ipython")),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("LC_ALL", "C.UTF-8"),
    ];
}
