using System.Text.Json.Nodes;
using CSharpKernel.Documents;

namespace Notebooks;

/// <summary>How a notebook of the series is committed, whatever front end has saved it last.</summary>
static class CommittedForm
{
    const string OfPolyglotNotebooks = """
        {"kernelInfo": {"defaultKernelName": "csharp", "items": [{"aliases": [], "name": "csharp"}]}}
        """;

    /// <summary>What front ends note in cells for themselves.</summary>
    static readonly string[] Notes = ["collapsed", "execution", "ExecuteTime", "jupyter", "scrolled", "trusted", "vscode"];

    /// <summary>Puts what the notebook says of itself and of its cells into that form; sources and outputs stay.</summary>
    public static void Restore(Notebook notebook)
    {
        var all = Notebook.CSharpMetadata();
        all["polyglot_notebook"] = JsonNode.Parse(OfPolyglotNotebooks);
        notebook.Json["metadata"] = all;
        foreach (var cell in notebook.Cells)
        {
            var metadata = cell.Json["metadata"]!.AsObject();
            foreach (var note in Notes)
            {
                metadata.Remove(note);
            }

            if (cell.IsCode)
            {
                metadata["dotnet_interactive"] = new JsonObject { ["language"] = "csharp" };
                metadata["polyglot_notebook"] = new JsonObject { ["kernelName"] = "csharp" };
            }

            // In order, as front ends write them.
            cell.Json["metadata"] = new JsonObject(metadata.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
        }
    }
}
