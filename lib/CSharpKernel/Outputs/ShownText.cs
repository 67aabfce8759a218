using System.Text;
using Microsoft.DotNet.Interactive.Formatting;

namespace CSharpKernel.Outputs;

/// <summary>A value that was read, as <c>text/plain</c>.</summary>
static class ShownText
{
    public static string Of(ShownValue value)
    {
        var text = new StringBuilder();
        Write(value, 1, isItem: false, text);
        return text.ToString();
    }

    public static string Flat(ShownValue.Sequence sequence) =>
        $"[ {string.Join(", ", sequence.Items.Select(i => Of(i.Value)))}{(sequence.Rest.Length > 0 ? " ... " : "")}{sequence.Rest} ]";

    static void Write(ShownValue value, int depth, bool isItem, StringBuilder text)
    {
        switch (value)
        {
            case ShownValue.Line line:
                text.Append(line.Text);
                break;
            case ShownValue.Formatted { InText: true } formatted:
                text.Append(formatted.Value.ToDisplayString(PlainTextFormatter.MimeType));
                break;
            case ShownValue.Formatted formatted:
                Write(formatted.Otherwise!, depth, isItem, text);
                break;
            case ShownValue.Sequence { IsFlat: true } flat:
                text.Append(Flat(flat));
                break;
            case ShownValue.Sequence sequence:
                text.Append(sequence.Name);
                foreach (var item in sequence.Items)
                {
                    var content = item.Key is null ? item.Value : new ShownValue.Object("", "", [("Key", item.Key), ("Value", item.Value)], IsFlat: false);
                    var isObject = content is ShownValue.Object { IsFlat: false };
                    text.Append('\n').Append(isObject ? "" : new string(' ', 2 * depth + 2) + "- ");
                    Write(content, depth + 1, isObject, text);
                }

                text.Append(sequence.Rest.Length > 0 ? $" ... {sequence.Rest}" : "");
                break;
            case ShownValue.Object { IsFlat: true, Members: var members }:
                text.Append($"( {string.Join(", ", members.Select(m => Of(m.Value)))} )");
                break;
            case ShownValue.Object shown:
                var first = isItem;
                text.Append(isItem ? "" : shown.Name + "\n");
                foreach (var (name, content) in shown.Members)
                {
                    text.Append(text.Length == 0 || text[^1] == '\n' ? "" : "\n").Append(' ', 2 * depth + (first ? 2 : 4)).Append(first ? "- " : "").Append(name).Append(": ");
                    Write(content, depth + 1, isItem: false, text);
                    first = false;
                }

                break;
        }
    }
}
