using System.Text;
using System.Text.Json;

namespace Notebooks;

/// <summary>
/// The setting with which VS Code asks a notebook's kernel for completions in C#. It belongs into the user's settings, a
/// file in JSON with comments: it is added there as text, so that everything else stays as it is.
/// </summary>
static class CompletionSetting
{
    /// <summary>The setting's name.</summary>
    public const string Name = "jupyter.completionTriggerCharacters";

    /// <summary>The setting as it stands in a file.</summary>
    public const string Text = $"\"{Name}\": {{ {Entry} }}";

    const string Language = "csharp";
    const string Entry = $"\"{Language}\": [\".\", \"(\", \"#\", \"\\\"\", \"/\", \" \"]";

    static readonly JsonReaderOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = 1000 };

    /// <summary>Adds the setting to settings.</summary>
    /// <param name="settings">A file's text; what is empty counts as <c>{}</c>, as it does for VS Code.</param>
    /// <returns>The new text; null where the setting has an entry for C# already, whichever that is.</returns>
    /// <exception cref="InvalidDataException">The text is no object in JSON with comments, or the setting is something else than an object.</exception>
    public static string? AddTo(string settings)
    {
        var lineBreak = settings.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        if (SkipTrivia(settings, 0) == settings.Length)
        {
            var before = settings.TrimEnd();
            return $"{before}{(before.Length == 0 ? "" : lineBreak)}{{{lineBreak}    {Text}{lineBreak}}}{lineBreak}";
        }

        var root = Read(settings);
        if (root.Setting is not { } setting)
        {
            return root.Append(settings, Text, lineBreak);
        }

        return setting.HasEntry ? null : setting.Append(settings, Entry, lineBreak);
    }

    /// <summary>An object in the text.</summary>
    /// <param name="Start">Where its brace opens.</param>
    sealed record Place(int Start)
    {
        /// <summary>Where its brace closes.</summary>
        public int End { get; set; }

        /// <summary>Where its first member begins; null where it has none.</summary>
        public int? First { get; set; }

        /// <summary>Where its last member ends.</summary>
        public int Last { get; set; }

        /// <summary>In the root, the setting.</summary>
        public Place? Setting { get; set; }

        /// <summary>In the setting, whether it has an entry for C#.</summary>
        public bool HasEntry { get; set; }

        /// <summary>Writes a member behind the others.</summary>
        public string Append(string text, string member, string lineBreak)
        {
            var comma = First is null ? -1 : SkipTrivia(text, Last);
            var trailing = comma >= 0 && text[comma] == ',';
            // Behind the comments that follow the last member, which may be its own.
            var at = text[..End].TrimEnd().Length;
            var closing = Indentation(text, Start);
            var indentation = First is { } first && Indentation(text, first) is var own && own != closing ? own : closing + "    ";
            var start = First is not null && !trailing ? string.Concat(text.AsSpan(0, Last), ",", text.AsSpan(Last, at - Last)) : text[..at];
            return $"{start}{lineBreak}{indentation}{member}{(trailing ? "," : "")}{lineBreak}{closing}{text[End..]}";
        }

        /// <summary>The white space with which a place's line begins.</summary>
        static string Indentation(string text, int place) =>
            new([.. text[(text.LastIndexOf('\n', Math.Max(0, place - 1)) + 1)..place].TakeWhile(char.IsWhiteSpace)]);
    }

    static Place Read(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(utf8, Lenient);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new InvalidDataException($"expected an object, found {reader.TokenType}");
            }

            var root = new Place(At(reader.TokenStartIndex));
            while (Member(ref reader, root))
            {
                if (reader.ValueTextEquals(Name))
                {
                    reader.Read();
                    if (reader.TokenType != JsonTokenType.StartObject)
                    {
                        throw new InvalidDataException($"expected an object as '{Name}', found {reader.TokenType}");
                    }

                    // The last counts where a name stands twice, as it does for VS Code.
                    root.Setting = new(At(reader.TokenStartIndex));
                    while (Member(ref reader, root.Setting))
                    {
                        root.Setting.HasEntry |= reader.ValueTextEquals(Language);
                        Value(ref reader, root.Setting);
                    }

                    root.Last = At(reader.BytesConsumed);
                }
                else
                {
                    Value(ref reader, root);
                }
            }

            reader.Read();
            return root;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"expected JSON with comments, found something else: {e.Message}");
        }

        int At(long index) => Encoding.UTF8.GetCharCount(utf8, 0, (int)index);

        bool Member(ref Utf8JsonReader reader, Place place)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.EndObject)
            {
                place.End = At(reader.TokenStartIndex);
                return false;
            }

            place.First ??= At(reader.TokenStartIndex);
            return true;
        }

        void Value(ref Utf8JsonReader reader, Place place)
        {
            reader.Read();
            reader.Skip();
            place.Last = At(reader.BytesConsumed);
        }
    }

    /// <summary>Where the text goes on after white space and comments.</summary>
    static int SkipTrivia(string text, int at)
    {
        while (at < text.Length)
        {
            var rest = text.AsSpan(at);
            var length = char.IsWhiteSpace(rest[0]) ? 1
                : rest.StartsWith("//") ? rest.IndexOfAny('\n', '\r') is var end and >= 0 ? end : rest.Length
                : rest.StartsWith("/*") && rest[2..].IndexOf("*/") is var closing and >= 0 ? 2 + closing + 2 : 0;
            if (length == 0)
            {
                break;
            }

            at += length;
        }

        return at;
    }
}
