using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CSharpKernel.Documents;
using Vit.Data;
using static TorchSharp.torch;

namespace Notebooks.Tests;

/// <summary>
/// Compares what a cell gives with what is committed. Text is equal save for numbers with a fraction, which may differ
/// by 1e-3, absolutely or relatively, or by <c>"tolerance"</c> in the cell's metadata; where that is given, it holds
/// for integers too, save those in square brackets, which are shapes. Pictures have the same size and are not blank.
/// Charts have the same structure. Of a cell tagged <c>varying</c> only the kinds of outputs are compared.
/// </summary>
static partial class OutputComparer
{
    const double DefaultTolerance = 1e-3;

    /// <summary>Fails with what differs in all cells, counted among the code cells.</summary>
    public static void AssertSame(Notebook committed, Notebook fresh)
    {
        var differences = committed.Cells.Zip(fresh.Cells).Where(c => c.First.IsCode)
            .SelectMany((c, i) => Differences(c.First, c.Second).Select(d => $"cell {i + 1}, {d}")).ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    /// <summary>What differs; nothing where all is as committed.</summary>
    public static IReadOnlyList<string> Differences(NotebookCell committed, NotebookCell fresh)
    {
        var differences = new List<string>();
        var tolerance = committed.Json["metadata"]?["tolerance"] is JsonValue stated ? stated.GetValue<double>() : (double?)null;
        var (was, now) = (committed.Outputs.Select(o => o!.AsObject()).ToList(), fresh.Outputs.Select(o => o!.AsObject()).ToList());
        var (wasKinds, nowKinds) = (was.Select(Kind).ToList(), now.Select(Kind).ToList());
        if (!wasKinds.SequenceEqual(nowKinds))
        {
            differences.Add($"outputs: committed [{string.Join("; ", wasKinds)}], now [{string.Join("; ", nowKinds)}]");
        }
        else if (!committed.Tags.Contains("varying"))
        {
            for (var i = 0; i < was.Count; i++)
            {
                Compare(was[i], now[i], tolerance, $"output {i + 1}", differences);
            }
        }

        return differences;
    }

    /// <summary>The output's type with the stream's name or the MIME types. A committed chart has a picture where a live one has HTML; what is a picture live has no HTML committed.</summary>
    static string Kind(JsonObject output)
    {
        var type = output["output_type"]!.GetValue<string>();
        return output["data"] is JsonObject data ? $"{type} {string.Join(' ', Types(data).Order(StringComparer.Ordinal))}"
            : output["name"] is { } name ? $"{type} {name}"
            : type;
    }

    static IEnumerable<string> Types(JsonObject data) =>
        data.Select(d => d.Key).Where(t => data.ContainsKey(ChartPictures.ChartType) ? t is not ("text/html" or "image/png") : t != "text/html" || !data.ContainsKey("image/png"));

    static void Compare(JsonObject was, JsonObject now, double? tolerance, string place, List<string> differences)
    {
        foreach (var field in new[] { "text", "ename", "evalue", "traceback" }.Where(was.ContainsKey))
        {
            CompareText(Lines(was[field]), Lines(now[field]), tolerance, $"{place}, {field}", differences);
        }

        if (was["data"] is not JsonObject wasData || now["data"] is not JsonObject nowData)
        {
            return;
        }

        foreach (var type in Types(wasData))
        {
            var at = $"{place}, {type}";
            if (type == ChartPictures.ChartType)
            {
                CompareJson(wasData[type], nowData[type], null, at, differences);
            }
            else if (IsJson(type))
            {
                CompareJson(wasData[type], nowData[type], tolerance ?? DefaultTolerance, at, differences);
            }
            else if (type.StartsWith("image/", StringComparison.Ordinal) && type != "image/svg+xml")
            {
                ComparePictures(Lines(wasData[type]), Lines(nowData[type]), at, differences);
            }
            else
            {
                CompareText(Lines(wasData[type]), Lines(nowData[type]), tolerance, at, differences);
            }
        }
    }

    /// <summary>Compares text piece by piece: numbers, and what stands between them.</summary>
    public static void CompareText(string was, string now, double? tolerance, string place, List<string> differences)
    {
        var (wasPieces, nowPieces) = (Pieces(was), Pieces(now));
        var depth = 0;
        for (var i = 0; i < Math.Max(wasPieces.Count, nowPieces.Count); i++)
        {
            var (a, b) = (wasPieces.ElementAtOrDefault(i), nowPieces.ElementAtOrDefault(i));
            var same = i % 2 == 0 || a.Text is null || b.Text is null ? a.Text == b.Text : SameNumber(a.Text, b.Text, depth > 0, tolerance);
            if (!same)
            {
                differences.Add($"{place}: committed \"{LineAt(was, a)}\", now \"{LineAt(now, b)}\"");
                return;
            }

            depth += a.Text!.Count(c => c == '[') - a.Text!.Count(c => c == ']');
        }

        // Where text differs from here on, the end of the piece is in the line that differs first, or after it.
        string LineAt(string text, (string Text, int End) piece)
        {
            var common = was.AsSpan().CommonPrefixLength(now);
            var at = Math.Min(text.Length, Math.Max(common, piece.Text is null ? 0 : piece.End - piece.Text.Length));
            var start = at == 0 ? 0 : text.LastIndexOf('\n', at - 1) + 1;
            return text[start..(text.IndexOf('\n', start) is >= 0 and var end ? end : text.Length)];
        }
    }

    /// <summary>
    /// Text and number in turn. Blanks beside a number are left out, and several in a row are one: columns move where a
    /// number gets longer, those of the headings too.
    /// </summary>
    static List<(string Text, int End)> Pieces(string text)
    {
        var pieces = new List<(string, int)>();
        var start = 0;
        foreach (Match number in Number().Matches(text))
        {
            pieces.Add((Blanks().Replace(text[start..number.Index].Trim(' ', '\t'), " "), number.Index));
            start = number.Index + number.Length;
            pieces.Add((number.Value, start));
        }

        pieces.Add((Blanks().Replace(text[start..].Trim(' ', '\t'), " "), text.Length));
        return pieces;
    }

    static bool SameNumber(string was, string now, bool inBrackets, double? tolerance)
    {
        if (was == now)
        {
            return true;
        }

        if (IsInteger(was) && IsInteger(now) && (inBrackets || tolerance is null))
        {
            return false;
        }

        var (a, b) = (double.Parse(was, CultureInfo.InvariantCulture), double.Parse(now, CultureInfo.InvariantCulture));
        return Close(a, b, tolerance ?? DefaultTolerance);
    }

    static bool IsInteger(string number) => number.AsSpan().IndexOfAny('.', 'e', 'E') < 0;

    static bool Close(double a, double b, double tolerance) => Math.Abs(a - b) <= tolerance * Math.Max(1, Math.Max(Math.Abs(a), Math.Abs(b)));

    /// <summary>Compares names, lengths and text; numbers by a tolerance, or not at all.</summary>
    static void CompareJson(JsonNode? was, JsonNode? now, double? tolerance, string place, List<string> differences)
    {
        switch (was, now)
        {
            case (JsonObject a, JsonObject b):
                // Names of the default template are plotly's, not ours.
                var (aKeys, bKeys) = (a.Select(m => m.Key).Where(k => k != "template").Order().ToList(), b.Select(m => m.Key).Where(k => k != "template").Order().ToList());
                if (!aKeys.SequenceEqual(bKeys))
                {
                    differences.Add($"{place}: committed has {string.Join(", ", aKeys)}; now {string.Join(", ", bKeys)}");
                    return;
                }

                aKeys.ForEach(k => CompareJson(a[k], b[k], tolerance, $"{place}.{k}", differences));
                break;
            case (JsonArray a, JsonArray b):
                if (a.Count != b.Count)
                {
                    differences.Add($"{place}: committed has {a.Count} items, now {b.Count}");
                    return;
                }

                for (var i = 0; i < a.Count; i++)
                {
                    CompareJson(a[i], b[i], tolerance, $"{place}[{i}]", differences);
                }

                break;
            case (JsonValue a, JsonValue b) when a.GetValueKind() == JsonValueKind.Number && b.GetValueKind() == JsonValueKind.Number:
                if (tolerance is { } limit && !Close(a.GetValue<double>(), b.GetValue<double>(), limit))
                {
                    differences.Add($"{place}: committed {a}, now {b}");
                }

                break;
            case (JsonValue a, JsonValue b) when a.GetValueKind() == JsonValueKind.String && b.GetValueKind() == JsonValueKind.String:
                CompareText(a.GetValue<string>(), b.GetValue<string>(), tolerance, place, differences);
                break;
            default:
                if (!JsonNode.DeepEquals(was, now))
                {
                    differences.Add($"{place}: committed {was?.ToJsonString() ?? "null"}, now {now?.ToJsonString() ?? "null"}");
                }

                break;
        }
    }

    static void ComparePictures(string was, string now, string place, List<string> differences)
    {
        using var a = Decode(was);
        using var b = Decode(now);
        if (a is null || b is null)
        {
            differences.Add($"{place}: {(a is null ? "what is committed" : "what there is now")} is no picture that can be decoded");
        }
        else if (!a.shape.SequenceEqual(b.shape))
        {
            differences.Add($"{place}: committed {a.shape[2]}×{a.shape[1]}, now {b.shape[2]}×{b.shape[1]}");
        }
        else if (IsBlank(b) && !IsBlank(a))
        {
            differences.Add($"{place}: the picture is blank");
        }
    }

    static Tensor? Decode(string base64)
    {
        try
        {
            return Picture.Decode(Convert.FromBase64String(base64));
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Whether a picture has one colour only.</summary>
    /// <param name="picture">[3, H, W].</param>
    public static bool IsBlank(Tensor picture)
    {
        using var scope = NewDisposeScope();
        return picture.eq(picture[.., ..1, ..1]).all().item<bool>();
    }

    /// <summary>Whether the type's content is JSON.</summary>
    public static bool IsJson(string type) => type == "application/json" || type.EndsWith("+json", StringComparison.Ordinal);

    static string Lines(JsonNode? node) => node is JsonArray lines && lines.Count > 0 && !lines[0]!.GetValue<string>().EndsWith('\n')
        ? string.Join('\n', lines.Select(l => l!.GetValue<string>()))
        : NotebookCell.Text(node);

    [GeneratedRegex(@"(?<![\p{L}\d_.])(?<![\p{L}\d)]-)(-(?=\d))?\d+(\.\d+)?([eE][-+]?\d+)?")]
    private static partial Regex Number();

    [GeneratedRegex("[ \\t]{2,}")]
    private static partial Regex Blanks();
}
