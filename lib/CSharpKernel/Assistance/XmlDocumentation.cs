using System.Globalization;
using System.Security;
using System.Text;
using CSharpKernel.Cells;
using Microsoft.CodeAnalysis;

namespace CSharpKernel.Assistance;

/// <summary>
/// The documentation of an assembly's members, from the XML file beside it, or for the framework from the reference
/// pack of the SDK. Nothing is read before it is asked for, and nothing is kept but what memory is free for.
/// </summary>
sealed class XmlDocumentation(string assembly) : DocumentationProvider
{
    static readonly Lazy<IReadOnlyList<string>> FrameworkFiles = new(FindFrameworkFiles);
    static readonly Dictionary<string, WeakReference<byte[]>> Contents = [];

    /// <summary>What the first file that has the member says of it; empty if none has.</summary>
    protected override string GetDocumentationForSymbol(string documentationMemberID, CultureInfo preferredCulture, CancellationToken cancellationToken = default)
    {
        var files = Path.GetDirectoryName(assembly) == NotebookLoadContext.Framework
            // The framework's assemblies are cut otherwise than the reference pack's, but both keep namespaces together.
            ? FrameworkFiles.Value.OrderByDescending(f => documentationMemberID.AsSpan(2).StartsWith(Path.GetFileNameWithoutExtension(f)) ? f.Length : 0)
            : (IEnumerable<string>)[Path.ChangeExtension(assembly, ".xml")];
        var name = Encoding.UTF8.GetBytes($"<member name=\"{SecurityElement.Escape(documentationMemberID)}\">");
        foreach (var file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // A search through the bytes of the largest file takes milliseconds; an index of it would take its memory twice.
            var content = Read(file).AsSpan();
            if (content.IndexOf(name) is >= 0 and var start && content[start..].IndexOf("</member>"u8) is >= 0 and var length)
            {
                return Encoding.UTF8.GetString(content.Slice(start + name.Length, length - name.Length));
            }
        }

        return "";
    }

    static byte[] Read(string file)
    {
        lock (Contents)
        {
            if (Contents.TryGetValue(file, out var known) && known.TryGetTarget(out var content))
            {
                return content;
            }

            try
            {
                content = File.ReadAllBytes(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                content = [];
            }

            Contents[file] = new(content);
            return content;
        }
    }

    static IReadOnlyList<string> FindFrameworkFiles()
    {
        var packs = new DirectoryInfo(Path.Combine(Path.GetDirectoryName(DotNet.Host)!, "packs", "Microsoft.NETCore.App.Ref"));
        var version = Environment.Version;
        var newest = packs.Exists
            ? packs.EnumerateDirectories($"{version.Major}.{version.Minor}.*").OrderBy(d => Version.TryParse(d.Name, out var number) ? number : null).LastOrDefault()
            : null;
        var folder = newest is null ? null : Path.Combine(newest.FullName, "ref", $"net{version.Major}.{version.Minor}");
        // System.Runtime holds more than its name says.
        return Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*.xml").OrderByDescending(f => Path.GetFileName(f) == "System.Runtime.xml").ThenBy(f => f, StringComparer.Ordinal)] : [];
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is XmlDocumentation other && other.Assembly == assembly;

    /// <inheritdoc/>
    public override int GetHashCode() => assembly.GetHashCode(StringComparison.Ordinal);

    string Assembly => assembly;
}
