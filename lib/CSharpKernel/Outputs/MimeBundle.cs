using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.DotNet.Interactive.Formatting;

namespace CSharpKernel.Outputs;

/// <summary>Values as the front end takes them: one content for each MIME type.</summary>
static partial class MimeBundle
{
    /// <summary>How the default formatter's HTML begins where it holds a value's plain text and no more.</summary>
    const string PlainTextAsHtml = "<div class=\"dni-plaintext\">";

    /// <summary>Formats a value with the registered formatters.</summary>
    /// <param name="value">Anything, null included.</param>
    /// <param name="mimeTypes">The types to give; none for the value's preferred types and plain text.</param>
    public static JsonObject Of(object? value, params string[] mimeTypes)
    {
        GuardedFormatter.GuardAll();
        var chosen = mimeTypes.Length > 0;
        if (!chosen)
        {
            var preferred = Formatter.GetPreferredMimeTypesFor(value?.GetType() ?? typeof(object));
            mimeTypes = value is null ? [PlainTextFormatter.MimeType] : [.. preferred.Append(PlainTextFormatter.MimeType).Distinct()];
        }

        var data = new JsonObject();
        ShownValue? shown = null;
        foreach (var type in mimeTypes)
        {
            if (Text(type) is { } text)
            {
                data[type] = Content(type, AnonymousType().Replace(CellType().Replace(text, ""), TypeName.Anonymous));
            }
        }

        return data;

        // Null where it would be the plain text once more.
        string? Text(string type)
        {
            if (value is null || type is not (PlainTextFormatter.MimeType or HtmlFormatter.MimeType) || !ShownValue.IsGeneric(value.GetType(), type))
            {
                var text = value.ToDisplayString(type);
                return !chosen && text.StartsWith(PlainTextAsHtml, StringComparison.Ordinal) ? null : text;
            }

            shown ??= ShownValue.Of(value);
            return type == PlainTextFormatter.MimeType ? ShownText.Of(shown)
                : !chosen && ShownHtml.IsPlain(shown) ? null : ShownHtml.Of(shown);
        }
    }

    /// <summary>A content that is formatted already.</summary>
    public static JsonObject OfText(string text, string mimeType) => new() { [mimeType] = Content(mimeType, text) };

    /// <summary>Whether the type's content is JSON, which documents hold as such and not as a string.</summary>
    public static bool IsJson(string mimeType) => mimeType == "application/json" || mimeType.EndsWith("+json", StringComparison.Ordinal);

    static JsonNode? Content(string mimeType, string text)
    {
        if (IsJson(mimeType))
        {
            try
            {
                return JsonNode.Parse(text);
            }
            catch (JsonException)
            {
                return text;
            }
        }

        return text.ReplaceLineEndings("\n");
    }

    /// <summary>What the compiler puts before the name of a cell's type.</summary>
    [GeneratedRegex(@"Submission#[0-9]+\+")]
    internal static partial Regex CellType();

    /// <summary>The compiler's name for a type without one, which differs from run to run, and its type arguments.</summary>
    [GeneratedRegex(@"<>f__AnonymousType[0-9#]+(<(?>[^<>\n]+|<(?<open>)|>(?<-open>))*(?(open)(?!))>)?")]
    private static partial Regex AnonymousType();
}
