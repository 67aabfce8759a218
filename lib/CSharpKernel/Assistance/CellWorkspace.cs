using System.Collections.Immutable;
using System.Composition.Hosting;
using CSharpKernel.Cells;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.Text;

namespace CSharpKernel.Assistance;

/// <summary>
/// The cell being written, as a document of Roslyn's workspaces. It has one submission before it, however many cells
/// have run: what they left visible. That one is compiled once for each cell run, and kept for all questions until the next.
/// </summary>
sealed class CellWorkspace(Submissions submissions, References references, string folder)
{
    static readonly Solution Empty = new AdhocWorkspace(MefHostServices.Create(new ContainerConfiguration().WithParts(Parts()).CreateContainer())).CurrentSolution;

    readonly Lock _lock = new();
    readonly Declarations _declarations = new();
    readonly ProjectId _before = ProjectId.CreateNewId();
    readonly ProjectId _cell = ProjectId.CreateNewId();
    Solution? _solution;
    CSharpCompilation? _latest;
    ImmutableArray<MetadataReference> _references;

    /// <summary>Opens a cell.</summary>
    /// <param name="code">Its text; each character keeps its place.</param>
    public Document Open(string code)
    {
        lock (_lock)
        {
            if (_solution is null || _latest != submissions.Latest || _references != references.All)
            {
                (_latest, _references) = (submissions.Latest, references.All);
                _solution = Add(Empty, _before, _declarations.Update(_latest), []);
                _solution = Add(_solution, _cell, "", [new ProjectReference(_before)]);
            }

            var document = _solution.GetProject(_cell)!.DocumentIds[0];
            return _solution.WithProjectMetadataReferences(_cell, [.. _references, .. NewReferences(code)])
                .WithDocumentText(document, SourceText.From(CellText.CSharpOnly(code))).GetDocument(document)!;
        }
    }

    /// <summary>The assemblies that the cell references itself, so that it can be completed before it has run.</summary>
    IEnumerable<MetadataReference> NewReferences(string code) =>
        from path in CellText.ReferencedPaths(code)
        where !path.Contains('\0')
        let file = Path.GetFullPath(path, folder)
        where File.Exists(file) && !_references.OfType<PortableExecutableReference>().Any(r => Path.GetFileName(r.FilePath) == Path.GetFileName(file))
        select MetadataReference.CreateFromFile(file, documentation: new XmlDocumentation(file));

    /// <summary>
    /// Roslyn's services, save completions that need more than an insertion: names of namespaces that the cells do not
    /// use, five thousand of them, and snippets.
    /// </summary>
    static IEnumerable<Type> Parts() => MefHostServices.DefaultAssemblies.SelectMany(a => a.GetTypes())
        .Where(t => !t.Name.EndsWith("ImportCompletionProvider", StringComparison.Ordinal) && !t.Name.EndsWith("SnippetCompletionProvider", StringComparison.Ordinal));

    Solution Add(Solution solution, ProjectId id, string text, IReadOnlyList<ProjectReference> before)
    {
        var name = id == _cell ? "cell" : "declarations";
        return solution
            .AddProject(ProjectInfo.Create(
                id, VersionStamp.Create(), name, name, LanguageNames.CSharp,
                compilationOptions: submissions.Options.WithScriptClassName(name),
                parseOptions: Submissions.ParseOptions,
                projectReferences: before,
                metadataReferences: _references,
                isSubmission: true))
            .AddDocument(DocumentInfo.Create(
                DocumentId.CreateNewId(id), name, sourceCodeKind: SourceCodeKind.Script,
                loader: TextLoader.From(TextAndVersion.Create(SourceText.From(text), VersionStamp.Create()))));
    }
}
