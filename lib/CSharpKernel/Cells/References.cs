using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using CSharpKernel.Assistance;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CSharpKernel.Cells;

/// <summary>What cells reference: the framework, the kernel's own functions, and what <c>#r</c> adds.</summary>
sealed partial class References : MetadataReferenceResolver
{
    readonly NotebookLoadContext _context;
    readonly string _folder;
    readonly ConcurrentDictionary<string, PortableExecutableReference> _byName = FrameworkReferences();
    readonly List<(string Name, string Version, string Wanted)> _packages = [];
    readonly List<string> _sources = [];
    readonly HashSet<string> _scripts = [];

    public References(NotebookLoadContext context, string folder)
    {
        (_context, _folder) = (context, folder);
        All = InOrder();
    }

    /// <summary>All of them, for the next compilation.</summary>
    public ImmutableArray<MetadataReference> All { get; private set; }

    /// <summary>Follows the <c>#r</c> and <c>#i</c> directives of a cell.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <param name="scripts">Notebooks of the packages that were added, to be run before the cell.</param>
    /// <param name="cancellation">Stops a restore.</param>
    /// <returns>The cell with blanks in their place, so that they may stand on any line.</returns>
    /// <exception cref="CellException">An assembly or package cannot be had.</exception>
    public string Follow(string code, string name, out IReadOnlyList<string> scripts, CancellationToken cancellation)
    {
        var added = new List<string>();
        scripts = added;
        var all = code.Contains("#r", StringComparison.Ordinal) || code.Contains("#i", StringComparison.Ordinal)
            ? CSharpSyntaxTree.ParseText(code, Submissions.ParseOptions, cancellationToken: cancellation).GetRoot(cancellation)
                .DescendantNodes(descendIntoTrivia: true).OfType<DirectiveTriviaSyntax>().Where(d => d.IsActive).ToList()
            : [];
        var characters = code.ToCharArray();
        // First, because packages on any line may come from them.
        foreach (var directive in all.OfType<BadDirectiveTriviaSyntax>().Where(d => d.Identifier.ValueText == "i"))
        {
            var text = directive.ToString();
            if (Source().Match(text) is not { Success: true } source)
            {
                throw new CellException("PackageError", $"{text.Trim()}: #i takes a package source, as in #i \"nuget: https://…\" or #i \"nuget: folder\".", name, LineOf(directive));
            }

            var place = source.Groups["source"].Value;
            _sources.Add(Uri.TryCreate(place, UriKind.Absolute, out _) ? place : Path.GetFullPath(place, _folder));
            characters.AsSpan(directive.HashToken.SpanStart, source.Length).Fill(' ');
        }

        foreach (var directive in all.OfType<ReferenceDirectiveTriviaSyntax>().Where(d => d.File.Span.Length > 2))
        {
            var line = LineOf(directive);
            if (Package().Match(directive.File.ValueText) is { Success: true } package)
            {
                added.AddRange(AddPackage(package.Groups["name"].Value, package.Groups["version"].Value, name, line, cancellation));
            }
            else
            {
                AddFile(directive.File.ValueText, name, line);
            }

            characters.AsSpan(directive.HashToken.SpanStart, directive.File.Span.End - directive.HashToken.SpanStart).Fill(' ');
        }

        All = InOrder();
        return new string(characters);

        static int LineOf(DirectiveTriviaSyntax directive) => directive.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
    }

    void AddFile(string path, string name, int line)
    {
        var full = Path.GetFullPath(path, _folder);
        if (!File.Exists(full))
        {
            // An assembly of the framework may be named without a folder.
            full = Path.GetFileName(path) == path ? Path.Combine(NotebookLoadContext.Framework, path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? path : path + ".dll") : full;
            if (!File.Exists(full))
            {
                throw new CellException("ReferenceError", $"#r \"{path}\": there is no such file in or relative to the notebook's folder.", name, line);
            }
        }

        try
        {
            System.Reflection.AssemblyName.GetAssemblyName(full);
        }
        catch (Exception e) when (e is BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            throw new CellException("ReferenceError", $"#r \"{path}\": the file is not a .NET assembly that can be read.", name, line);
        }

        if (_context.AddAssembly(full, withFolder: true) is { } loaded)
        {
            throw new CellException("ReferenceError", $"#r \"{path}\": version {loaded} is loaded already; another one needs a new kernel.", name, line);
        }

        Add(full);
    }

    /// <returns>The scripts that come with it, and have not come before.</returns>
    List<string> AddPackage(string package, string version, string name, int line, CancellationToken cancellation)
    {
        if (_packages.Find(p => p.Name.Equals(package, StringComparison.OrdinalIgnoreCase)) is { Name: not null } known)
        {
            // Asked for once more as before, a version may have been found upwards.
            if (version == known.Wanted || PackageRestore.Satisfies(known.Version, version))
            {
                return [];
            }

            throw new CellException("PackageError", $"#r \"nuget: {package}, {version}\": version {known.Version} is loaded already; another one needs a new kernel.", name, line);
        }

        try
        {
            // All packages together, so that they agree on the versions of what they share.
            var restored = PackageRestore.Of([.. _packages.Select(p => (p.Name, p.Version)), (package, version)], _sources, _folder, cancellation);
            foreach (var file in restored.Runtime)
            {
                if (_context.AddAssembly(file, withFolder: false) is { } loaded)
                {
                    throw new InvalidOperationException($"it needs a newer {Path.GetFileNameWithoutExtension(file)} than {loaded}, which is loaded already; that needs a new kernel.");
                }
            }

            foreach (var file in restored.Native)
            {
                _context.AddNative(file);
            }

            foreach (var file in restored.Compile)
            {
                Add(file);
            }

            _packages.Add((package, restored.Versions[package], version));
            return [.. restored.Scripts.Where(_scripts.Add)];
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new CellException("PackageError", $"#r \"nuget: {package}{(version.Length > 0 ? ", " : "")}{version}\": {e.Message}", name, line);
        }
    }

    /// <summary>Takes the kernel's or the framework's copy where it is the one that would be loaded.</summary>
    void Add(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        var found = _context.Find(name);
        var loaded = found is not null && Path.GetDirectoryName(found) == NotebookLoadContext.Framework || NotebookLoadContext.Shared.ContainsKey(name);
        _byName[name] = Reference(loaded ? found! : path);
    }

    public override bool ResolveMissingAssemblies => true;

    /// <summary>Finds what a referenced assembly references itself, as loading will.</summary>
    public override PortableExecutableReference? ResolveMissingAssembly(MetadataReference definition, AssemblyIdentity referenceIdentity)
    {
        // Two compilations at a time must get one and the same: two would make what is in the assembly ambiguous.
        return _byName.TryGetValue(referenceIdentity.Name, out var reference) || _context.Find(referenceIdentity.Name) is not { } path
            ? reference
            : _byName.GetOrAdd(referenceIdentity.Name, _ => Reference(path));
    }

    public override ImmutableArray<PortableExecutableReference> ResolveReference(string reference, string? baseFilePath, MetadataReferenceProperties properties) => [];

    public override bool Equals(object? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    ImmutableArray<MetadataReference> InOrder() => [.. _byName.OrderBy(r => r.Key, StringComparer.OrdinalIgnoreCase).Select(r => r.Value)];

    static PortableExecutableReference Reference(string path) => path == typeof(DisplayExtensions).Assembly.Location
        ? MetadataReference.CreateFromImage(WithoutDisplayExtensions(), documentation: new XmlDocumentation(path), filePath: path)
        : MetadataReference.CreateFromFile(path, documentation: new XmlDocumentation(path));

    /// <summary>
    /// The formatters' assembly as cells see it: its own <c>Display</c> and <c>DisplayAs</c>, which would make those of
    /// <see cref="CellFunctions"/> ambiguous, are in a class that is not public.
    /// </summary>
    static ImmutableArray<byte> WithoutDisplayExtensions()
    {
        var image = ImmutableCollectionsMarshal.AsImmutableArray(File.ReadAllBytes(typeof(DisplayExtensions).Assembly.Location));
        using var file = new PEReader(image);
        var metadata = file.GetMetadataReader();
        var row = MetadataTokens.GetRowNumber(MetadataTokens.EntityHandle(typeof(DisplayExtensions).MetadataToken));
        // A type's row begins with its attributes.
        var attributes = file.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.TypeDef) + (row - 1) * metadata.GetTableRowSize(TableIndex.TypeDef);
        ImmutableCollectionsMarshal.AsArray(image)![attributes] &= unchecked((byte)~System.Reflection.TypeAttributes.Public);
        return image;
    }

    static ConcurrentDictionary<string, PortableExecutableReference> FrameworkReferences()
    {
        var trusted = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        return new(
            trusted.Where(p => Path.GetDirectoryName(p) == NotebookLoadContext.Framework).Concat(NotebookLoadContext.Shared.Values).Distinct()
                .Select(p => KeyValuePair.Create(Path.GetFileNameWithoutExtension(p), Reference(p))),
            StringComparer.OrdinalIgnoreCase);
    }

    [GeneratedRegex(@"^\s*nuget:\s*(?<name>[^,\s]+)\s*(,\s*(?<version>.*?)\s*)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Package();

    [GeneratedRegex(""" ^\#i\s+"\s*nuget:\s*(?<source>[^"]+?)\s*" """, RegexOptions.IgnoreCase | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Source();
}
