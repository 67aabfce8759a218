using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Cells;

namespace CSharpKernel.Documents;

/// <summary>Reads <c>.dib</c> files, Polyglot Notebooks' own: text, in which a line with the name of a language begins a cell.</summary>
public static class DibFile
{
    static readonly string[] OtherKinds = ["meta", "markdown", "html", .. CellPart.OtherLanguages];

    /// <summary>Reads a file as a notebook; what is neither C# nor Markdown becomes a code cell that begins with its directive.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Notebook Load(string path)
    {
        var cells = new JsonArray();
        var (kind, lines) = ("csharp", new List<string>());
        foreach (var line in File.ReadLines(path))
        {
            var word = line.StartsWith("#!", StringComparison.Ordinal) ? line[2..].Trim() : "";
            if (word is "csharp" or "c#" || OtherKinds.Contains(word))
            {
                End();
                (kind, lines) = (word, []);
            }
            else
            {
                lines.Add(line);
            }
        }

        End();
        return Notebook.Parse(Encoding.UTF8.GetBytes(Document(cells).ToJsonString()), path);

        void End()
        {
            var text = string.Join('\n', lines).Trim('\n');
            if (kind == "meta" || text.Length == 0)
            {
                return;
            }

            var id = $"cell-{cells.Count + 1}";
            cells.Add(kind == "markdown"
                ? new JsonObject { ["cell_type"] = "markdown", ["id"] = id, ["metadata"] = new JsonObject(), ["source"] = NotebookCell.Lines(text) }
                : new JsonObject
                {
                    ["cell_type"] = "code",
                    ["execution_count"] = null,
                    ["id"] = id,
                    ["metadata"] = new JsonObject(),
                    ["outputs"] = new JsonArray(),
                    ["source"] = NotebookCell.Lines(kind is "csharp" or "c#" ? text : $"#!{kind}\n{text}"),
                });
        }
    }

    static JsonObject Document(JsonArray cells) => new()
    {
        ["cells"] = cells,
        ["metadata"] = Notebook.CSharpMetadata(),
        ["nbformat"] = 4,
        ["nbformat_minor"] = 5,
    };
}
