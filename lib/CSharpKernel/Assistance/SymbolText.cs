using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;

namespace CSharpKernel.Assistance;

/// <summary>Signatures and documentation of symbols, as a reader is shown them.</summary>
static partial class SymbolText
{
    static readonly SymbolDisplayFormat Short = SymbolDisplayFormat.MinimallyQualifiedFormat
        .WithMemberOptions(SymbolDisplayMemberOptions.IncludeType | SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeRef)
        .WithKindOptions(SymbolDisplayKindOptions.IncludeTypeKeyword | SymbolDisplayKindOptions.IncludeNamespaceKeyword)
        .AddParameterOptions(SymbolDisplayParameterOptions.IncludeDefaultValue | SymbolDisplayParameterOptions.IncludeParamsRefOut);

    static readonly SymbolDisplayFormat Full = Short
        .AddMemberOptions(SymbolDisplayMemberOptions.IncludeContainingType | SymbolDisplayMemberOptions.IncludeModifiers
            | SymbolDisplayMemberOptions.IncludeConstantValue | SymbolDisplayMemberOptions.IncludeExplicitInterface)
        .AddGenericsOptions(SymbolDisplayGenericsOptions.IncludeTypeConstraints);

    /// <summary>One line, as in a list of completions.</summary>
    public static string Line(ISymbol symbol) => symbol.ToDisplayString(Short);

    /// <summary>The declaration as C#.</summary>
    public static string Signature(ISymbol symbol) => symbol switch
    {
        IMethodSymbol { MethodKind: MethodKind.Constructor } => "new " + symbol.ToDisplayString(Short),
        // The class that the compiler makes of a cell is nobody's business.
        { ContainingType: null or { IsScriptClass: true } } => symbol.ToDisplayString(Full.RemoveMemberOptions(SymbolDisplayMemberOptions.IncludeContainingType)),
        _ => symbol.ToDisplayString(Full),
    };

    /// <summary>The documentation as Markdown.</summary>
    /// <param name="symbol">Whose.</param>
    /// <param name="compilation">Where inherited documentation is looked up.</param>
    /// <param name="detail">0 for summary, parameters and return value; 1 for exceptions and remarks too; below 0 for the summary alone.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Empty if there is none.</returns>
    public static string Documentation(ISymbol symbol, Compilation compilation, int detail, CancellationToken cancellation)
    {
        if (Find(symbol, compilation, 0, cancellation) is not { } documentation)
        {
            return "";
        }

        var text = new StringBuilder(Flow(documentation.Element("summary")));
        if (detail >= 0)
        {
            Terms("Parameters", documentation.Elements("typeparam").Concat(documentation.Elements("param")), e => e.Attribute("name")?.Value);
            Paragraph("Returns", documentation.Element("returns"));
        }

        if (detail > 0)
        {
            Terms("Exceptions", documentation.Elements("exception"), e => ShortName(e.Attribute("cref")?.Value));
            Paragraph("Remarks", documentation.Element("remarks"));
        }

        return text.ToString().Trim();

        void Paragraph(string title, XElement? element)
        {
            if (Flow(element) is { Length: > 0 } content)
            {
                text.Append($"\n\n**{title}**: {content}");
            }
        }

        void Terms(string title, IEnumerable<XElement> elements, Func<XElement, string?> name)
        {
            var lines = elements.Select(e => (Name: name(e), Text: Flow(e))).Where(e => e.Text.Length > 0).Select(e => $"\n- `{e.Name}`: {e.Text}").ToList();
            if (lines.Count > 0)
            {
                text.Append($"\n\n**{title}**\n").AppendJoin("", lines);
            }
        }
    }

    static XElement? Find(ISymbol symbol, Compilation compilation, int depth, CancellationToken cancellation)
    {
        XElement documentation;
        try
        {
            documentation = XElement.Parse($"<doc>{symbol.OriginalDefinition.GetDocumentationCommentXml(cancellationToken: cancellation)}</doc>");
        }
        catch (XmlException)
        {
            return null;
        }

        // A symbol of source comes with the element around it, one of a file without.
        documentation = documentation.Element("member") ?? documentation;
        var inherit = documentation.Descendants("inheritdoc").FirstOrDefault();
        if (documentation.HasElements && inherit is null)
        {
            return documentation;
        }

        var from = inherit?.Attribute("cref")?.Value is { } id ? DocumentationCommentId.GetFirstSymbolForDeclarationId(id, compilation)
            // What constructs a type is described there, where it has no words of its own.
            : symbol is IMethodSymbol { MethodKind: MethodKind.Constructor } ? symbol.ContainingType
            : inherit is null ? null
            : Overridden(symbol);
        return from is null || depth > 8 ? null : Find(from, compilation, depth + 1, cancellation);
    }

    static ISymbol? Overridden(ISymbol symbol) => symbol switch
    {
        IMethodSymbol { OverriddenMethod: { } method } => method,
        IPropertySymbol { OverriddenProperty: { } property } => property,
        INamedTypeSymbol type => type.BaseType is null or { SpecialType: SpecialType.System_Object } ? type.Interfaces.FirstOrDefault() : type.BaseType,
        _ => symbol.ContainingType?.AllInterfaces.SelectMany(i => i.GetMembers(symbol.Name))
            .FirstOrDefault(m => symbol.Equals(symbol.ContainingType.FindImplementationForInterfaceMember(m), SymbolEqualityComparer.Default)),
    };

    static string Flow(XElement? element) => element is null ? "" : Blanks().Replace(string.Concat(element.Nodes().Select(Inline)), "\n\n").Trim();

    static string Inline(XNode node) => node switch
    {
        XText text => White().Replace(text.Value, " "),
        XElement { Name.LocalName: "c" } code => $"`{code.Value.Trim()}`",
        XElement { Name.LocalName: "code" } code => $"\n\n```csharp\n{code.Value.Trim('\r', '\n').TrimEnd()}\n```\n\n",
        XElement { Name.LocalName: "para" } paragraph => $"\n\n{Flow(paragraph)}\n\n",
        XElement { Name.LocalName: "br" } => "\n\n",
        XElement { Name.LocalName: "item" } item => $"\n- {Flow(item)}",
        XElement { Name.LocalName: "list" } list => $"\n\n{string.Concat(list.Elements("item").Select(Inline))}\n\n",
        XElement { Name.LocalName: "paramref" or "typeparamref" } name => $"`{name.Attribute("name")?.Value}`",
        XElement see when see.Nodes().Any() => Flow(see),
        XElement see => (see.Attribute("langword") ?? see.Attribute("href"))?.Value ?? (ShortName(see.Attribute("cref")?.Value) is { Length: > 0 } name ? $"`{name}`" : ""),
        _ => "",
    };

    /// <summary><c>M:System.String.Join``1(System.String)</c> is <c>String.Join</c>.</summary>
    static string ShortName(string? id)
    {
        if (id is null)
        {
            return "";
        }

        var path = Arity().Replace(id.Split('(')[0], "").Split(':')[^1].Split('.');
        return id.StartsWith("T:", StringComparison.Ordinal) ? path[^1] : string.Join('.', path.TakeLast(2));
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex White();

    [GeneratedRegex(@"[ ]*\n[ ]*\n\s*")]
    private static partial Regex Blanks();

    [GeneratedRegex("`+[0-9]+")]
    private static partial Regex Arity();
}
