using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;

namespace CSharpKernel.Cells;

/// <summary>
/// Holds the compiled cells and what they reference. The formatters' assembly is the kernel's own copy, so that a
/// formatter registered in a cell counts for the kernel; all else that the kernel uses stays out of the cells' way.
/// </summary>
sealed class NotebookLoadContext() : AssemblyLoadContext("notebook")
{
    public static readonly string Framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    /// <summary>Simple names of the assemblies that kernel and cells share.</summary>
    public static readonly IReadOnlyDictionary<string, string> Shared = new[]
    {
        typeof(CSharpEngine).Assembly,
        typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly,
        typeof(Microsoft.AspNetCore.Html.IHtmlContent).Assembly,
    }.ToDictionary(a => a.GetName().Name!, a => a.Location, StringComparer.OrdinalIgnoreCase);

    // Assemblies are asked for by all threads of cells and by completion while a cell adds more.
    readonly ConcurrentDictionary<string, string> _assemblies = new(StringComparer.OrdinalIgnoreCase);
    readonly ConcurrentDictionary<string, string> _natives = new(StringComparer.OrdinalIgnoreCase);
    ImmutableList<string> _folders = [];

    /// <summary>Makes an assembly known, and with it those that lie beside it. Of two that are known by one name the newer one is loaded.</summary>
    /// <returns>The version that stands in its way: an older one that is loaded already; null if none does.</returns>
    public Version? AddAssembly(string path, bool withFolder)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        if (Assemblies.FirstOrDefault(a => name.Equals(a.GetName().Name, StringComparison.OrdinalIgnoreCase))?.GetName().Version is { } loaded && loaded < VersionOf(path))
        {
            return loaded;
        }

        _assemblies.AddOrUpdate(name, path, (_, known) => VersionOf(known) < VersionOf(path) ? path : known);
        if (withFolder && Path.GetDirectoryName(path) is { } folder && !_folders.Contains(folder))
        {
            _folders = _folders.Add(folder);
        }

        return null;
    }

    public void AddNative(string path) => _natives.TryAdd(Path.GetFileName(path), path);

    /// <summary>The file of an assembly: a referenced one, the framework's if that is no older, or one beside a referenced one.</summary>
    /// <returns>Null if there is none.</returns>
    public string? Find(string name)
    {
        if (Shared.TryGetValue(name, out var shared))
        {
            return shared;
        }

        var framework = Path.Combine(Framework, name + ".dll");
        if (_assemblies.TryGetValue(name, out var path))
        {
            return File.Exists(framework) && VersionOf(framework) >= VersionOf(path) ? framework : path;
        }

        return _folders.Prepend(Framework).Select(f => Path.Combine(f, name + ".dll")).FirstOrDefault(File.Exists);
    }

    static Version VersionOf(string file) => AssemblyName.GetAssemblyName(file).Version ?? new();

    protected override Assembly? Load(AssemblyName name)
    {
        var path = Find(name.Name!);
        return path is null || Shared.ContainsKey(name.Name!) || Path.GetDirectoryName(path) == Framework ? null : LoadFromAssemblyPath(path);
    }

    protected override nint LoadUnmanagedDll(string name)
    {
        string[] forms = OperatingSystem.IsWindows() ? [name, name + ".dll"]
            : OperatingSystem.IsMacOS() ? [name, $"lib{name}.dylib", name + ".dylib"]
            : [name, $"lib{name}.so", name + ".so"];
        foreach (var form in forms)
        {
            var path = _natives.GetValueOrDefault(form) ?? _folders.Select(f => Path.Combine(f, form)).FirstOrDefault(File.Exists);
            if (path is not null)
            {
                return LoadUnmanagedDllFromPath(path);
            }
        }

        return 0;
    }
}
