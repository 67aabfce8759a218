using System.Text.Json.Nodes;
using CSharpKernel.Outputs;

namespace CSharpKernel.Documents;

/// <summary>A cell of a notebook document.</summary>
public sealed class NotebookCell
{
    bool _clearBeforeNext;

    internal NotebookCell(JsonObject json) => Json = json;

    /// <summary>The cell as the document holds it.</summary>
    public JsonObject Json { get; }

    /// <summary>Whether it is code, neither Markdown nor raw.</summary>
    public bool IsCode => Json["cell_type"]!.GetValue<string>() == "code";

    /// <summary>Its text.</summary>
    public string Source => Text(Json["source"]);

    /// <summary>What the cell gave when it ran; of code cells alone.</summary>
    public JsonArray Outputs => Json["outputs"]!.AsArray();

    /// <summary>The tags in its metadata.</summary>
    public IReadOnlyList<string> Tags => Json["metadata"]?["tags"] is JsonArray tags ? [.. tags.OfType<JsonValue>().Select(t => t.ToString())] : [];

    /// <summary>Text of a document: a string, or lines that are joined.</summary>
    public static string Text(JsonNode? node) => node is JsonArray lines ? string.Concat(lines.Select(l => l!.GetValue<string>())) : node?.GetValue<string>() ?? "";

    /// <summary>Removes what an earlier run left.</summary>
    /// <param name="executionCount">The number that the cell shows; null if it has not run.</param>
    public void Reset(int? executionCount)
    {
        Json["execution_count"] = executionCount;
        Outputs.Clear();
        _clearBeforeNext = false;
    }

    /// <summary>Adds what the cell sent to its outputs; text on the same stream is joined.</summary>
    /// <param name="output">What the cell sent.</param>
    /// <param name="displays">The displays of the notebook so far, by their ids.</param>
    public void Add(Output output, Dictionary<string, JsonObject> displays)
    {
        if (output is Output.Clear { Wait: true })
        {
            _clearBeforeNext = true;
            return;
        }

        // An update adds nothing: front ends do not take it for the next output.
        if (output is Output.Clear || _clearBeforeNext && output is not Output.Update)
        {
            Outputs.Clear();
            _clearBeforeNext = false;
        }

        switch (output)
        {
            case Output.Stream { Text.Length: > 0 } stream:
                if (Outputs.LastOrDefault() is JsonObject last && last["output_type"]!.GetValue<string>() == "stream" && last["name"]!.GetValue<string>() == stream.Name)
                {
                    // Only the last line can go on, so that many small pieces stay cheap.
                    var lines = last["text"]!.AsArray();
                    var open = lines[^1]!.GetValue<string>();
                    if (!open.EndsWith('\n'))
                    {
                        lines.RemoveAt(lines.Count - 1);
                    }
                    else
                    {
                        open = "";
                    }

                    AddLines(lines, open + stream.Text);
                }
                else
                {
                    Outputs.Add(new JsonObject { ["name"] = stream.Name, ["output_type"] = "stream", ["text"] = Lines(stream.Text) });
                }

                break;
            case Output.Display display:
                var shown = new JsonObject { ["data"] = Data(display.Data), ["metadata"] = new JsonObject(), ["output_type"] = "display_data" };
                displays[display.Id] = shown;
                Outputs.Add(shown);
                break;
            case Output.Update update when displays.TryGetValue(update.Id, out var earlier):
                earlier["data"] = Data(update.Data);
                break;
            case Output.Result result:
                Outputs.Add(new JsonObject
                {
                    ["data"] = Data(result.Data),
                    ["execution_count"] = Json["execution_count"]?.DeepClone(),
                    ["metadata"] = new JsonObject(),
                    ["output_type"] = "execute_result",
                });
                break;
            case Output.Error error:
                Outputs.Add(new JsonObject
                {
                    ["ename"] = error.Name,
                    ["evalue"] = error.Message,
                    ["output_type"] = "error",
                    ["traceback"] = new JsonArray([.. error.Traceback.Select(l => JsonValue.Create(l))]),
                });
                break;
        }
    }

    static JsonObject Data(JsonObject bundle)
    {
        var data = new JsonObject();
        foreach (var (mime, content) in bundle.OrderBy(d => d.Key, StringComparer.Ordinal))
        {
            // Base64 is one line; text is an array of lines; JSON is itself.
            var isText = content is JsonValue && !MimeBundle.IsJson(mime) && (mime.StartsWith("text/", StringComparison.Ordinal) || mime == "image/svg+xml");
            data[mime] = isText ? Lines(content!.GetValue<string>()) : content?.DeepClone();
        }

        return data;
    }

    /// <summary>Text as the lines of a document.</summary>
    internal static JsonArray Lines(string text) => AddLines([], text);

    static JsonArray AddLines(JsonArray lines, string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start) is >= 0 and var found ? found + 1 : text.Length;
            lines.Add((JsonNode)text[start..end]);
            start = end;
        }

        return lines;
    }
}
