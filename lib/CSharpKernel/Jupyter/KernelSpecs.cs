using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Documents;
using CSharpKernel.Headless;

namespace CSharpKernel.Jupyter;

/// <summary>
/// Puts this kernel where Jupyter's front ends look for kernels, and takes it away. A kernelspec holds its own build, so
/// that a running kernel does not depend on the repository; each installation brings a build of its own, and those
/// before it go when no kernel runs from them.
/// </summary>
public sealed partial class KernelSpecs
{
    /// <summary>The name by which the notebooks are matched.</summary>
    public const string PreferredName = Notebook.KernelName;

    const string SpecFile = "kernel.json";
    const string BuildPrefix = "build-";
    const string Implementation = "CSharpKernel";

    /// <summary>A file of a build that its kernels hold open.</summary>
    static readonly string UsedFile = Path.GetFileNameWithoutExtension(typeof(KernelSpecs).Assembly.Location) + ".runtimeconfig.json";

    readonly string _kernels;

    /// <summary>For the current user, or for all who look below a prefix.</summary>
    /// <param name="prefix">Holds <c>share/jupyter/kernels</c>, made where it lacks; null for the current user's folder.</param>
    public KernelSpecs(string? prefix = null) =>
        _kernels = Path.Combine(prefix is null ? UserFolder : Path.Combine(Path.GetFullPath(prefix), "share", "jupyter"), "kernels");

    /// <summary>The user's own folder of Jupyter's data.</summary>
    static string UserFolder
    {
        get
        {
            string Of(Environment.SpecialFolder folder) => Environment.GetFolderPath(folder, Environment.SpecialFolderOption.DoNotVerify);
            return Variable("JUPYTER_DATA_DIR") ?? (
                OperatingSystem.IsWindows() ? Path.Combine(Of(Environment.SpecialFolder.ApplicationData), "jupyter")
                : OperatingSystem.IsMacOS() ? Path.Combine(Of(Environment.SpecialFolder.UserProfile), "Library", "Jupyter")
                : Path.Combine(Variable("XDG_DATA_HOME") ?? Path.Combine(Of(Environment.SpecialFolder.UserProfile), ".local", "share"), "jupyter"));
        }
    }

    /// <summary>All folders in which Jupyter may look for kernels.</summary>
    IEnumerable<string> Searched
    {
        get
        {
            string?[] roots = OperatingSystem.IsWindows() ? [Variable("PROGRAMDATA")] : [Path.Combine("/usr", "local", "share"), Path.Combine("/usr", "share")];
            string?[] environments = [Variable("VIRTUAL_ENV"), Variable("CONDA_PREFIX")];
            return (Variable("JUPYTER_PATH")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [])
                .Append(UserFolder)
                .Concat(environments.Where(e => e is not null).Select(e => Path.Combine(e!, "share", "jupyter")))
                .Concat(roots.Where(r => r is not null).Select(r => Path.Combine(r!, "jupyter")))
                .Select(d => Path.Combine(d, "kernels")).Prepend(_kernels).Distinct();
        }
    }

    /// <summary>Finds the kernelspec of another program that has a name already.</summary>
    /// <returns>Its folder; null where the name is free, or this kernel's own.</returns>
    public string? TakenBy(string name) =>
        Searched.SelectMany(Folders).FirstOrDefault(f => Path.GetFileName(f).Equals(name, StringComparison.OrdinalIgnoreCase) && File.Exists(Path.Combine(f, SpecFile)) && !IsOwn(f));

    /// <summary>The first of <c>csharp</c>, <c>csharp-2</c> … that no other program has.</summary>
    public string OtherName() => Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? "csharp" : $"csharp-{n}").First(n => TakenBy(n) is null);

    /// <summary>Installs under a name, in the place of an earlier installation.</summary>
    /// <param name="name">The kernelspec's name.</param>
    /// <param name="build">Puts the kernel's files into the folder that it is given, which exists.</param>
    /// <returns>The kernelspec's folder.</returns>
    /// <exception cref="ArgumentException">The name cannot be one.</exception>
    /// <exception cref="InvalidOperationException">Another program has the name, or the build lacks the kernel.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public async Task<string> Install(string name, Func<string, Task> build)
    {
        if (!ValidName().IsMatch(name))
        {
            throw new ArgumentException($"'{name}' cannot name a kernel: letters, digits, '.', '_' and '-' can.", nameof(name));
        }

        if (TakenBy(name) is { } other)
        {
            throw new InvalidOperationException($"The name '{name}' belongs to the kernelspec of another program, in '{other}'.");
        }

        var folder = Path.Combine(_kernels, name);
        var program = Directory.CreateDirectory(Path.Combine(folder, BuildPrefix + Path.GetRandomFileName())).FullName;
        try
        {
            await build(program);
            var assembly = Path.Combine(program, Path.GetFileName(typeof(KernelSpecs).Assembly.Location));
            if (!File.Exists(assembly) || !File.Exists(Path.Combine(program, UsedFile)))
            {
                throw new InvalidOperationException($"The build holds no '{Path.GetFileName(assembly)}' with its '{UsedFile}'.");
            }

            // The last step, so that Jupyter finds the kernel whole or not at all.
            var temporary = Path.Combine(program, SpecFile);
            File.WriteAllText(temporary, NotebookWriter.Write(Spec(assembly)) + "\n");
            File.Move(temporary, Path.Combine(folder, SpecFile), overwrite: true);
        }
        catch
        {
            Directory.Delete(program, recursive: true);
            RemoveIfEmpty(folder);
            throw;
        }

        RemoveUnused(folder, except: program);
        return folder;
    }

    /// <summary>Removes what <see cref="Install"/> has put there.</summary>
    /// <param name="name">Which; null for all of this kernel's own in the folder.</param>
    /// <returns>The folders that Jupyter no longer finds; a build from which a kernel still runs stays in them.</returns>
    public IReadOnlyList<string> Uninstall(string? name = null)
    {
        var own = Folders(_kernels).Where(f => IsOwn(f) && (name is null || Path.GetFileName(f).Equals(name, StringComparison.OrdinalIgnoreCase))).ToList();
        foreach (var folder in own)
        {
            File.Delete(Path.Combine(folder, SpecFile));
            RemoveUnused(folder, except: null);
            RemoveIfEmpty(folder);
        }

        return own;
    }

    /// <summary>Keeps the running build in its place until it is disposed.</summary>
    internal static IDisposable HoldBuild() =>
        new FileStream(Path.Combine(AppContext.BaseDirectory, UsedFile), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    static JsonObject Spec(string assembly) => new()
    {
        ["argv"] = new JsonArray(DotNet.Command, "exec", assembly, Program.JupyterVerb, "{connection_file}"),
        ["display_name"] = ".NET (C#)",
        ["env"] = new JsonObject(KernelProcess.Variables.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value))),
        ["interrupt_mode"] = "message",
        ["language"] = "C#",
        ["metadata"] = new JsonObject { ["debugger"] = true, ["implementation"] = Implementation },
    };

    static bool IsOwn(string folder)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, SpecFile)))?["metadata"]?["implementation"]?.ToString() == Implementation;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    static void RemoveUnused(string folder, string? except)
    {
        foreach (var build in Directory.GetDirectories(folder, BuildPrefix + "*").Where(b => b != except))
        {
            try
            {
                var used = Path.Combine(build, UsedFile);
                if (File.Exists(used))
                {
                    new FileStream(used, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
                }

                Directory.Delete(build, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A kernel runs from it: the next installation removes it.
            }
        }
    }

    static void RemoveIfEmpty(string folder)
    {
        if (!Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    static string[] Folders(string folder) => Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];

    static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    [GeneratedRegex(@"^(?!\.\.?$)[a-zA-Z0-9._-]+$")]
    private static partial Regex ValidName();
}
