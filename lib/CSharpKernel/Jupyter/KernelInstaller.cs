namespace CSharpKernel.Jupyter;

/// <summary>Installs the kernel for Jupyter's front ends, and removes it, as a program that is called by hand: it tells what it does.</summary>
public static class KernelInstaller
{
    /// <summary>Puts the kernel into a kernelspec.</summary>
    /// <param name="prefix">As in <see cref="KernelSpecs(string?)"/>.</param>
    /// <param name="name">The kernelspec's name; null for the preferred one, or another where that is taken.</param>
    /// <param name="build">As in <see cref="KernelSpecs.Install"/>.</param>
    /// <returns>The program's exit code.</returns>
    public static async Task<int> Install(string? prefix, string? name, Func<string, Task> build)
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

            Console.WriteLine($"Installed in {await specs.Install(name ?? KernelSpecs.PreferredName, build)}");
            return 0;
        }
        catch (Exception e) when (e is ArgumentException or InvalidDataException or InvalidOperationException or IOException or UnauthorizedAccessException)
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

    /// <summary>Copies the build that runs.</summary>
    /// <param name="target">The folder that takes it.</param>
    public static Task CopyOwn(string target)
    {
        var own = Path.GetDirectoryName(typeof(KernelInstaller).Assembly.Location)!;
        foreach (var file in Directory.EnumerateFiles(own, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(own, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return Task.CompletedTask;
    }
}
