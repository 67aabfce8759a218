using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.DotNet.Interactive.Formatting;

namespace CSharpKernel.Outputs;

/// <summary>
/// A value as it is shown where nothing more special than the formatters of any object fits it: read once, whatever the
/// MIME types, and within bounds. What contains itself, lies deep, or is long or many comes out cut, and says so.
/// </summary>
abstract record ShownValue
{
    ShownValue()
    {
    }

    /// <summary>What stands in one line: a scalar, a name, what an object says of itself.</summary>
    public sealed record Line(string Text) : ShownValue;

    /// <summary>A value that a formatter of its own shows.</summary>
    /// <param name="Value">The value.</param>
    /// <param name="InText">Whether there is one for text/plain; else <paramref name="Otherwise"/> stands there.</param>
    /// <param name="InHtml">Whether there is one for text/html.</param>
    /// <param name="Otherwise">The value for the other type; null where it is not needed.</param>
    public sealed record Formatted(object Value, bool InText, bool InHtml, ShownValue? Otherwise) : ShownValue;

    /// <summary>The elements of a collection.</summary>
    /// <param name="Name">The collection's type, for arrays of several dimensions with its shape.</param>
    /// <param name="Items">The first of them; of dictionaries with their keys, and with types where these differ.</param>
    /// <param name="Rest">What is left out, for instance "(80 more)"; empty where nothing is.</param>
    /// <param name="IsFlat">Whether all stand in one line.</param>
    public sealed record Sequence(string Name, IReadOnlyList<Item> Items, string Rest, bool IsFlat) : ShownValue;

    /// <summary>An object and its public members.</summary>
    /// <param name="Name">Its type.</param>
    /// <param name="Summary">What it says of itself.</param>
    /// <param name="Members">Their names and values.</param>
    /// <param name="IsFlat">Whether the summary is all that text/plain needs.</param>
    public sealed record Object(string Name, string Summary, IReadOnlyList<(string Name, ShownValue Value)> Members, bool IsFlat) : ShownValue;

    /// <summary>An element of a collection.</summary>
    public sealed record Item(ShownValue? Key, Type? Type, ShownValue Value);

    /// <summary>Reads a value.</summary>
    public static ShownValue Of(object? value) => new Reader().Read(value, 1);

    /// <summary>Whether nothing but what the formatters bring for objects, numbers and strings is registered for a type.</summary>
    public static bool IsGeneric(Type type, string mimeType) =>
        Formatter.GetPreferredFormatterFor(type, mimeType).Type is var found && (found == typeof(object) || found == typeof(string) || found == typeof(decimal))
        && !Formatter.RegisteredFormatters(includeDefaults: false).Any(f => f.Type == found && f.MimeType == mimeType);

    /// <summary>Text of at most so many characters.</summary>
    public static string Cut(string text, int most) =>
        text.Length <= most ? text : $"{text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)]} … ({text.Length - most} more characters)";

    sealed class Reader
    {
        /// <summary>Values in all, over all levels.</summary>
        const int MostValues = 2_000;

        /// <summary>Characters of one value inside of others, and of one that is shown for itself.</summary>
        const int LongestInner = 1_000;
        const int Longest = 100_000;

        readonly HashSet<object> _around = new(ReferenceEqualityComparer.Instance);
        int _left = MostValues;

        public ShownValue Read(object? value, int depth)
        {
            if (value is null)
            {
                return new Line(Formatter.NullString);
            }

            if (--_left < 0)
            {
                return new Line("…");
            }

            var type = value.GetType();
            var (inText, inHtml) = (!IsGeneric(type, PlainTextFormatter.MimeType), !IsGeneric(type, HtmlFormatter.MimeType));
            // Text that was made for a type serves as its HTML too; of exceptions the tree holds more.
            var otherwise = inText ? value is Exception && !inHtml : true;
            return !inText && !inHtml ? Generic(value, type, depth) : new Formatted(value, inText, inHtml, otherwise ? Generic(value, type, depth) : null);
        }

        ShownValue Generic(object value, Type type, int depth)
        {
            if (IsScalar(type) || value is Enum)
            {
                return new Line(Cut(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", depth == 1 ? Longest : LongestInner));
            }

            if (value is Delegate or MemberInfo or Assembly or Module or ParameterInfo)
            {
                return new Line(value is Delegate ? TypeName.Of(type) : Cut(value.ToString() ?? "", LongestInner));
            }

            if (depth > Formatter.RecursionLimit)
            {
                return new Line($"{TypeName.Of(type)} …");
            }

            if (!type.IsValueType && !_around.Add(value))
            {
                return new Line($"{TypeName.Of(type)} (contains itself)");
            }

            var shown = value is Array { Rank: > 1 } array ? Slice(array, [], depth)
                : value is IEnumerable elements && OnlyElements(type) ? Elements(elements, type, depth)
                : Members(value, type, depth);
            _around.Remove(value);
            return shown;
        }

        ShownValue Members(object value, Type type, int depth)
        {
            var members = new List<(string Name, ShownValue Value)>();
            foreach (var member in type.GetMembers(BindingFlags.Instance | BindingFlags.Public).Where(IsShown))
            {
                object? content;
                try
                {
                    content = member is FieldInfo field ? field.GetValue(value) : ((PropertyInfo)member).GetValue(value, BindingFlags.DoNotWrapExceptions, null, null, null);
                }
                catch (Exception e) when (e is not (OperationCanceledException or ThreadInterruptedException))
                {
                    members.Add((member.Name, new Line(Cut($"{e.GetType().FullName}: {ExceptionTrace.MessageOf(e)}", LongestInner))));
                    continue;
                }

                members.Add((member.Name, Read(content, depth + 1)));
            }

            if (value is IEnumerable elements)
            {
                members.Add(("(values)", Elements(elements, type, depth + 1)));
            }

            return members.Count == 0 ? new Line(Summary(value, type, members)) : new Object(TypeName.Of(type), Summary(value, type, members), members, IsTuple(type) && members.TrueForAll(m => m.Value is Line));
        }

        /// <summary>What an object says of itself; those that would tell all that they hold are told by what was read.</summary>
        static string Summary(object value, Type type, List<(string Name, ShownValue Value)> members)
        {
            var inner = members.Select(m => OneLine(m.Value));
            if (IsTuple(type))
            {
                return $"({string.Join(", ", inner)})";
            }

            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>))
            {
                return $"[{string.Join(", ", inner)}]";
            }

            var method = type.GetMethod(nameof(ToString), [])!;
            if (method.IsDefined(typeof(CompilerGeneratedAttribute)) || type.IsDefined(typeof(CompilerGeneratedAttribute)))
            {
                var name = TypeName.Of(type);
                return $"{(name == TypeName.Anonymous ? "" : name + " ")}{{ {string.Join(", ", members.Zip(inner, (m, i) => $"{m.Name} = {i}"))} }}";
            }

            if (method.DeclaringType == typeof(object) || method.DeclaringType == typeof(ValueType))
            {
                return type.ToString();
            }

            try
            {
                return Cut(value.ToString() ?? "", LongestInner);
            }
            catch (Exception e) when (e is not (OperationCanceledException or ThreadInterruptedException))
            {
                return type.ToString();
            }
        }

        static string OneLine(ShownValue value) => value switch
        {
            Line line => line.Text,
            Object shown => shown.Summary,
            Sequence { IsFlat: true } flat => ShownText.Flat(flat),
            Sequence sequence => sequence.Name,
            Formatted { InText: true } formatted => Cut(formatted.Value.ToDisplayString(PlainTextFormatter.MimeType), LongestInner),
            Formatted formatted => OneLine(formatted.Otherwise!),
            _ => throw new NotSupportedException(value.GetType().Name),
        };

        Sequence Elements(IEnumerable elements, Type type, int depth)
        {
            var isDictionary = elements is IDictionary || type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IDictionary<,>));
            var element = type.GetInterfaces().Append(type).FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GenericTypeArguments[0];
            var items = new List<Item>();
            var rest = "";
            var enumerator = elements.GetEnumerator();
            using (enumerator as IDisposable)
            {
                while (enumerator.MoveNext())
                {
                    if (items.Count == Formatter.ListExpansionLimit || _left <= 0)
                    {
                        rest = Count(elements, type) is { } count ? $"({count - items.Count} more)" : "(more)";
                        break;
                    }

                    var current = enumerator.Current;
                    var key = isDictionary ? Read(Of(current, "Key"), depth + 1) : null;
                    var content = isDictionary ? Of(current, "Value") : current;
                    items.Add(new(key, content?.GetType(), Read(content, depth + 1)));
                }
            }

            return new(TypeName.Of(type), items, rest, items.Count == 0 || element is not null && IsScalar(element));

            static object? Of(object pair, string name) => pair.GetType().GetProperty(name)!.GetValue(pair);
        }

        /// <summary>An array of several dimensions, as rows of rows.</summary>
        Sequence Slice(Array array, int[] place, int depth)
        {
            var dimension = place.Length;
            var length = array.GetLength(dimension);
            var shown = Math.Min(length, Formatter.ListExpansionLimit);
            var isRow = dimension == array.Rank - 1;
            var items = new List<Item>();
            for (var i = 0; i < shown && _left > 0; i++)
            {
                int[] next = [.. place, i];
                items.Add(isRow
                    ? new(null, null, Read(array.GetValue([.. next.Select((n, d) => n + array.GetLowerBound(d))]), depth + 1))
                    : new(null, null, Slice(array, next, depth + 1)));
            }

            return new(
                dimension > 0 ? $"[{string.Join(",", place)}]" : $"{TypeName.Of(array.GetType().GetElementType()!)}[{string.Join(",", Enumerable.Range(0, array.Rank).Select(array.GetLength))}]",
                items, items.Count < length ? $"({length - items.Count} more)" : "", isRow && IsScalar(array.GetType().GetElementType()!));
        }

        static int? Count(IEnumerable elements, Type type) => elements is ICollection collection
            ? collection.Count
            : type.GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() is var d && (d == typeof(ICollection<>) || d == typeof(IReadOnlyCollection<>)))
                ?.GetProperty("Count")?.GetValue(elements) as int?;

        static bool IsShown(MemberInfo member) => !member.Name.Contains('<') && member switch
        {
            FieldInfo { FieldType: var type } => !type.IsPointer,
            PropertyInfo { CanRead: true, PropertyType: var type } property => property.GetMethod!.IsPublic && property.GetIndexParameters().Length == 0 && !type.IsByRefLike && !type.IsPointer
                && property.GetCustomAttribute<System.Diagnostics.DebuggerBrowsableAttribute>()?.State != System.Diagnostics.DebuggerBrowsableState.Never,
            _ => false,
        };

        static bool IsScalar(Type type) =>
            (Nullable.GetUnderlyingType(type) ?? type) is { IsPrimitive: true } || (Nullable.GetUnderlyingType(type) ?? type) is var t
            && (t == typeof(decimal) || t == typeof(Guid) || t == typeof(string) || t == typeof(DateTime) || t == typeof(DateTimeOffset) || t == typeof(TimeSpan));

        static bool IsTuple(Type type) => type.IsAssignableTo(typeof(ITuple));

        /// <summary>Whether a collection's own properties tell nothing.</summary>
        static bool OnlyElements(Type type) => type.IsArray || type.IsNestedPrivate || type.Name.Contains('<') || type.IsAssignableTo(typeof(ICollection))
            || type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() is var d && (d == typeof(IOrderedEnumerable<>) || d == typeof(IDictionary<,>)));
    }
}
