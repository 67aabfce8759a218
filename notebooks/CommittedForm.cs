using System.Text.Json.Nodes;
using CSharpKernel.Documents;

namespace Notebooks;

/// <summary>How a notebook of the series is committed, whatever front end has saved it last.</summary>
static class CommittedForm
{
    const string Metadata = """
        {
          "kernelspec": {"display_name": ".NET (C#)", "language": "C#", "name": ".net-csharp"},
          "language_info": {"file_extension": ".cs", "mimetype": "text/x-csharp", "name": "csharp", "pygments_lexer": "csharp"},
          "polyglot_notebook": {"kernelInfo": {"defaultKernelName": "csharp", "items": [{"aliases": [], "name": "csharp"}]}}
        }
        """;

    /// <summary>What front ends note in cells for themselves.</summary>
    static readonly string[] Notes = ["collapsed", "execution", "ExecuteTime", "jupyter", "scrolled", "trusted", "vscode"];

    /// <summary>Puts what the notebook says of itself and of its cells into that form; sources and outputs stay.</summary>
    public static void Restore(Notebook notebook)
    {
        notebook.Json["metadata"] = JsonNode.Parse(Metadata);
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
