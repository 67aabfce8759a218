using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using CSharpKernel.Cells;
using Microsoft.DotNet.Interactive.Formatting;

namespace CSharpKernel.Outputs;

/// <summary>Variables with their types and values. Of no value any code is run that a cell has written, and so none that could hang.</summary>
static class VariableTable
{
    /// <summary>The MIME type of a value in a few words; a library may register a formatter for it.</summary>
    const string Summary = "text/plain+summary";

    const int Longest = 80;

    public static JsonObject Of(IReadOnlyList<Variable> variables)
    {
        string[][] rows = [["Variable", "Type", "Value"], .. variables.Select(v => new[] { v.Name, TypeName.Of(v.Type), Describe(v.Value) })];
        var widths = Enumerable.Range(0, 2).Select(column => rows.Max(r => r[column].Length)).ToArray();
        string Row(string[] row, string tag) => $"<tr>{string.Concat(row.Select(c => $"<{tag}>{WebUtility.HtmlEncode(c)}</{tag}>"))}</tr>";
        return new()
        {
            [HtmlFormatter.MimeType] = $"<table><thead>{Row(rows[0], "th")}</thead><tbody>{string.Concat(rows.Skip(1).Select(r => Row(r, "td")))}</tbody></table>",
            [PlainTextFormatter.MimeType] = string.Join('\n', rows.Select(r => $"{r[0].PadRight(widths[0])}  {r[1].PadRight(widths[1])}  {r[2]}")),
        };
    }

    /// <summary>A value in a few words.</summary>
    public static string Describe(object? value)
    {
        if (value is null)
        {
            return Formatter.NullString;
        }

        var type = value.GetType();
        var text = Formatter.RegisteredFormatters(includeDefaults: false).FirstOrDefault(f => f.MimeType == Summary && f.Type.IsAssignableFrom(type)) is { } formatter ? value.ToDisplayString(formatter)
            : value is string or Enum or decimal or Guid or DateTime or DateTimeOffset or TimeSpan || type.IsPrimitive ? Convert.ToString(value, CultureInfo.InvariantCulture)!
            : value is Array array ? $"{TypeName.Of(type.GetElementType()!)}[{string.Join(", ", Enumerable.Range(0, array.Rank).Select(array.GetLength))}]"
            : type.Namespace == "System.Collections.Generic" && type.GetProperty("Count")?.GetValue(value) is int count ? $"{TypeName.Of(type)} ({count})"
            : TypeName.Of(type);
        return ShownValue.Cut(text.ReplaceLineEndings(" "), Longest);
    }
}
