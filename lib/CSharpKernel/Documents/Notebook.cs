using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Outputs;

namespace CSharpKernel.Documents;

/// <summary>A notebook document, nbformat 4.5; older ones of nbformat 4 are read as such. What this class does not know is kept as it was read.</summary>
public sealed partial class Notebook
{
    Notebook(JsonObject json)
    {
        Json = json;
        Cells = [.. json["cells"]!.AsArray().Select(c => new NotebookCell(c!.AsObject()))];
    }

    /// <summary>The document.</summary>
    public JsonObject Json { get; }

    /// <summary>Its cells, in order.</summary>
    public IReadOnlyList<NotebookCell> Cells { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is not a notebook of nbformat 4.5; the message names the file, what was found and what was expected.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Notebook Load(string path) => Parse(File.ReadAllBytes(path), path);

    /// <summary>Reads a document.</summary>
    /// <param name="utf8">Its text, in UTF-8.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <exception cref="InvalidDataException">It is not a notebook of nbformat 4.5; the message names the file, what was found and what was expected.</exception>
    public static Notebook Parse(ReadOnlySpan<byte> utf8, string name)
    {
        JsonNode? root;
        try
        {
            if (utf8.StartsWith(Encoding.UTF8.Preamble))
            {
                utf8 = utf8[Encoding.UTF8.Preamble.Length..];
            }

            root = Upgraded(JsonNode.Parse(utf8, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }));
            NotebookWriter.Write(root);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{name}: expected JSON, found something else: {e.Message}");
        }

        Check(root, name);
        return new Notebook(root!.AsObject());
    }

    /// <summary>Writes the document as Jupyter does; the file, or that to which a link leads, is replaced whole or not at all.</summary>
    public void Save(string path) => WholeFile.Write(path, ToString());

    /// <summary>The document's text, with a line break at its end.</summary>
    public override string ToString() => NotebookWriter.Write(Json) + "\n";

    /// <summary>The name of the kernel in documents, and where kernels are installed: Polyglot Notebooks' own.</summary>
    internal const string KernelName = ".net-csharp";

    /// <summary>What a document says of the kernel and the language that it is for.</summary>
    internal static JsonObject CSharpMetadata() => new()
    {
        ["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = KernelName },
        ["language_info"] = CSharpLanguage(),
    };

    /// <summary>The language as front ends know it. VS Code compares the name with its own for it, and marks every cell where the two differ.</summary>
    internal static JsonObject CSharpLanguage() => new()
    {
        ["file_extension"] = ".cs",
        ["mimetype"] = "text/x-csharp",
        ["name"] = "csharp",
        ["pygments_lexer"] = "csharp",
    };

    /// <summary>Documents of nbformat 4.0 to 4.4, which Polyglot Notebooks writes, lack nothing but the cells' ids.</summary>
    static JsonNode? Upgraded(JsonNode? root)
    {
        if (root is JsonObject notebook && notebook["nbformat"] is JsonValue major && major.TryGetValue(out int four) && four == 4
            && notebook["nbformat_minor"] is JsonValue minor && minor.TryGetValue(out int below) && below is >= 0 and < 5)
        {
            notebook["nbformat_minor"] = 5;
            foreach (var (number, cell) in (notebook["cells"] as JsonArray ?? []).Index())
            {
                if (cell is JsonObject members)
                {
                    members["id"] = $"cell-{number + 1}";
                }
            }
        }

        return root;
    }

    static void Check(JsonNode? root, string name)
    {
        var notebook = Expect<JsonObject>(root, "the notebook", "an object");
        Integer(notebook["nbformat"], "nbformat", n => n == 4, "4");
        Integer(notebook["nbformat_minor"], "nbformat_minor", n => n >= 5, "5 or more");
        Expect<JsonObject>(notebook["metadata"], "metadata", "an object");
        var cells = Expect<JsonArray>(notebook["cells"], "cells", "an array");
        var ids = new HashSet<string>();
        for (var i = 0; i < cells.Count; i++)
        {
            var place = $"cell {i + 1}";
            var cell = Expect<JsonObject>(cells[i], place, "an object");
            Expect<JsonObject>(cell["metadata"], $"{place}, metadata", "an object");
            var id = Text(cell["id"], $"{place}, id");
            Require(Id().IsMatch(id), $"{place}, id", cell["id"], "1 to 64 letters, digits, '-' or '_'");
            Require(ids.Add(id), $"{place}, id", cell["id"], "an id that no other cell has");
            Lines(cell["source"], $"{place}, source");
            var type = Text(cell["cell_type"], $"{place}, cell_type");
            Require(type is "code" or "markdown" or "raw", $"{place}, cell_type", cell["cell_type"], "code, markdown or raw");
            if (type != "code")
            {
                continue;
            }

            Require(cell.ContainsKey("execution_count"), $"{place}, execution_count", null, "a number or null");
            if (cell["execution_count"] is { } count)
            {
                Integer(count, $"{place}, execution_count", n => n >= 0, "a number or null");
            }

            var outputs = Expect<JsonArray>(cell["outputs"], $"{place}, outputs", "an array");
            for (var j = 0; j < outputs.Count; j++)
            {
                CheckOutput(outputs[j], $"{place}, output {j + 1}");
            }
        }

        void CheckOutput(JsonNode? node, string place)
        {
            var output = Expect<JsonObject>(node, place, "an object");
            switch (Text(output["output_type"], $"{place}, output_type"))
            {
                case "stream":
                    Text(output["name"], $"{place}, name");
                    Lines(output["text"], $"{place}, text");
                    break;
                case "display_data" or "execute_result":
                    Expect<JsonObject>(output["metadata"], $"{place}, metadata", "an object");
                    foreach (var (mime, content) in Expect<JsonObject>(output["data"], $"{place}, data", "an object"))
                    {
                        if (!MimeBundle.IsJson(mime))
                        {
                            Lines(content, $"{place}, {mime}");
                        }
                    }

                    break;
                case "error":
                    Text(output["ename"], $"{place}, ename");
                    Text(output["evalue"], $"{place}, evalue");
                    Require(output["traceback"] is JsonArray trace && trace.All(IsText), $"{place}, traceback", output["traceback"], "an array of strings");
                    break;
                default:
                    Require(false, $"{place}, output_type", output["output_type"], "stream, display_data, execute_result or error");
                    break;
            }
        }

        T Expect<T>(JsonNode? node, string place, string expected)
            where T : JsonNode
        {
            Require(node is T, place, node, expected);
            return (T)node!;
        }

        string Text(JsonNode? node, string place)
        {
            Require(IsText(node), place, node, "a string");
            return node!.GetValue<string>();
        }

        void Lines(JsonNode? node, string place) =>
            Require(IsText(node) || node is JsonArray lines && lines.All(IsText), place, node, "a string or an array of strings");

        void Integer(JsonNode? node, string place, Func<int, bool> valid, string expected) =>
            Require(node is JsonValue value && value.TryGetValue(out int number) && valid(number), place, node, expected);

        void Require(bool condition, string place, JsonNode? found, string expected)
        {
            if (!condition)
            {
                var text = found?.ToJsonString() ?? "nothing";
                throw new InvalidDataException($"{name}: {place}: expected {expected}, found {(text.Length > 60 ? text[..60] + "…" : text)}.");
            }
        }

        static bool IsText(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String;
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex Id();
}
