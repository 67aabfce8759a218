using System.Collections;
using System.Globalization;
using System.Net;
using System.Text;

namespace Vit.Interactive;

/// <summary>A table for comparisons, as in <c>new Table("model", "parameters") { { "Ti/16", 5_717_416 } }</c>.</summary>
/// <param name="headers">One for each column.</param>
public sealed class Table(params string[] headers) : IEnumerable<IReadOnlyList<string>>
{
    readonly List<string[]> rows = [];

    /// <summary>Adds a row. Whole numbers get thousands separators, others four decimals at most; what should look different comes as text.</summary>
    /// <param name="cells">One for each column.</param>
    /// <exception cref="ArgumentException">There are more or fewer cells than columns.</exception>
    public void Add(params object?[] cells)
    {
        if (cells.Length != headers.Length)
            throw new ArgumentException($"Found {cells.Length} cells, expected {headers.Length}, one for each of {string.Join(", ", headers)}.", nameof(cells));
        rows.Add([.. cells.Select(Text)]);
    }

    /// <summary>Plain HTML: no styles, no scripts.</summary>
    public string ToHtml()
    {
        var html = new StringBuilder("<table>\n<thead>");
        Row(headers, "th");
        html.Append("</thead>\n<tbody>\n");
        foreach (var row in rows)
        {
            Row(row, "td");
            html.Append('\n');
        }
        return html.Append("</tbody>\n</table>").ToString();

        void Row(string[] cells, string tag) =>
            html.Append("<tr>").AppendJoin("", cells.Select(cell => $"<{tag}>{WebUtility.HtmlEncode(cell)}</{tag}>")).Append("</tr>");
    }

    /// <summary>The same with columns of spaces.</summary>
    public override string ToString()
    {
        var widths = headers.Select((header, i) => rows.Select(row => row[i].Length).Append(header.Length).Max()).ToArray();
        return string.Join('\n', rows.Prepend(headers).Select(row => string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd()));
    }

    /// <inheritdoc/>
    public IEnumerator<IReadOnlyList<string>> GetEnumerator() => rows.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    static string Text(object? cell) => cell switch
    {
        sbyte or byte or short or ushort or int or uint or long or ulong => string.Create(CultureInfo.InvariantCulture, $"{cell:N0}"),
        float or double or decimal => string.Create(CultureInfo.InvariantCulture, $"{cell:#,0.####}"),
        _ => Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "",
    };
}
