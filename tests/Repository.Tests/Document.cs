using CSharpKernel.Documents;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Syntax;

namespace Repository.Tests;

/// <summary>A text that people read: a Markdown file, or the text cells of a notebook.</summary>
/// <param name="File">Below the root, with '/'.</param>
sealed record Document(string File)
{
    static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables().UseMathematics().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).UseAutoLinks().Build();

    public static IReadOnlyList<string> Notebooks { get; } = [.. Tree.Files.Where(f => f.StartsWith("notebooks/") && f.EndsWith(".ipynb"))];

    /// <summary>All documents, as cases of theories.</summary>
    public static TheoryData<string> All { get; } = [.. Tree.Files.Where(f => f.EndsWith(".md")).Concat(Notebooks)];

    public bool IsNotebook => File.EndsWith(".ipynb");

    /// <summary>The parsed text: one for a file, one for each text cell of a notebook.</summary>
    public IReadOnlyList<MarkdownDocument> Texts => IsNotebook
        ? [.. Notebook.Load(Tree.PathOf(File)).Cells.Where(c => c.Json["cell_type"]!.GetValue<string>() == "markdown").Select(c => Markdown.Parse(c.Source, Pipeline))]
        : [Markdown.Parse(System.IO.File.ReadAllText(Tree.PathOf(File)), Pipeline)];

    /// <summary>The fenced blocks in order, with the language that stands behind the fence.</summary>
    public IEnumerable<(string? Language, string Code)> CodeBlocks => Texts.SelectMany(text => text.Descendants<FencedCodeBlock>())
        .Select(block => (block.Info, block.Lines.ToString().ReplaceLineEndings("\n")));
}
