using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CSharpKernel.Documents;

/// <summary>
/// Writes JSON byte for byte as Jupyter does: one space of indentation, and no escapes but those that JSON asks for.
/// (Every encoder of System.Text.Json escapes what lies beyond the Basic Multilingual Plane.)
/// </summary>
static class NotebookWriter
{
    /// <exception cref="InvalidOperationException">A string holds half a surrogate pair.</exception>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(node, 0, text);
        return text.ToString();
    }

    static void Write(JsonNode? node, int depth, StringBuilder text)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } members:
                Block('{', '}', members, m =>
                {
                    Quote(m.Key, text);
                    text.Append(": ");
                    Write(m.Value, depth + 1, text);
                });
                break;
            case JsonArray { Count: > 0 } items:
                Block('[', ']', items, i => Write(i, depth + 1, text));
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                Quote(value.GetValue<string>(), text);
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }

        void Block<T>(char open, char close, IEnumerable<T> items, Action<T> write)
        {
            text.Append(open);
            var separator = "";
            foreach (var item in items)
            {
                text.Append(separator).Append('\n').Append(' ', depth + 1);
                write(item);
                separator = ",";
            }

            text.Append('\n').Append(' ', depth).Append(close);
        }
    }

    static void Quote(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                < ' ' => text.Append($"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }
}
