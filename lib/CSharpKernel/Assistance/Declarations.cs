using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CSharpKernel.Assistance;

/// <summary>
/// What the cells so far have declared and the next cell can see, as one text: the newest variables with their types,
/// methods, types and usings. It grows with what is visible, not with the number of cells, and is all that completion
/// has to compile.
/// </summary>
sealed class Declarations
{
    /// <summary>How names begin that no cell has written.</summary>
    public const string Invented = "__cells_";

    static readonly SymbolDisplayFormat FullNames = SymbolDisplayFormat.FullyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    readonly Dictionary<string, string> _usings = [];
    readonly Dictionary<string, List<ISymbol>> _visible = [];
    CSharpCompilation? _latest;

    /// <summary>Adds the cells since the last call.</summary>
    /// <param name="latest">The newest cell; null if there is none.</param>
    /// <returns>The text that declares what it and those before it have left visible.</returns>
    public string Update(CSharpCompilation? latest)
    {
        var cells = new Stack<CSharpCompilation>();
        for (var cell = latest; cell is not null && cell != _latest; cell = cell.ScriptCompilationInfo?.PreviousScriptCompilation)
        {
            cells.Push(cell);
        }

        _latest = latest;
        foreach (var cell in cells)
        {
            foreach (var directive in ((CompilationUnitSyntax)cell.SyntaxTrees[0].GetRoot()).Usings)
            {
                _usings[directive.Alias?.Name.ToString() ?? directive.WithoutTrivia().ToString()] = directive.WithoutTrivia().ToString();
            }

            foreach (var member in cell.ScriptClass!.GetMembers().Where(m => !m.IsImplicitlyDeclared && m.CanBeReferencedByName))
            {
                var sameName = _visible.TryGetValue(Key(member), out var found) ? found : _visible[Key(member)] = [];
                // Methods of one name and different parameters stand beside one another; all else hides what had the name.
                sameName.RemoveAll(s => s is not IMethodSymbol || member is not IMethodSymbol || Parameters(s) == Parameters(member));
                sameName.Add(member);
            }
        }

        var text = new StringBuilder().AppendJoin('\n', _usings.Values).Append('\n');
        var hidden = new Dictionary<ISymbol, string>(SymbolEqualityComparer.Default);
        foreach (var symbol in _visible.Values.SelectMany(s => s))
        {
            text.Append(symbol is IFieldSymbol field ? Variable(field, hidden) : Source(symbol)).Append('\n');
        }

        foreach (var (type, holder) in hidden)
        {
            text.Append($"static class {holder} {{\n{Source(type, isNested: true)}}}\n");
        }

        return text.ToString();
    }

    static string Key(ISymbol symbol) => symbol is INamedTypeSymbol type ? type.MetadataName : symbol.Name;

    static string Parameters(ISymbol method) =>
        string.Join(",", ((IMethodSymbol)method).Parameters.Select(p => $"{p.RefKind} {p.Type}"));

    /// <summary>As written, with its documentation; methods without their bodies, which nobody has to read again.</summary>
    static string Source(ISymbol symbol, bool isNested = false)
    {
        var text = new StringBuilder();
        foreach (var declaration in symbol.DeclaringSyntaxReferences.Select(r => r.GetSyntax()))
        {
            // A cell's types are seen without being public, those of a class are not.
            var node = isNested && declaration is MemberDeclarationSyntax member && !member.Modifiers.Any(SyntaxKind.PublicKeyword)
                ? member.AddModifiers(SyntaxFactory.Token(SyntaxKind.PublicKeyword).WithTrailingTrivia(SyntaxFactory.Space))
                : declaration;
            foreach (var comment in node.GetLeadingTrivia().Where(t => t.GetStructure() is DocumentationCommentTriviaSyntax))
            {
                text.Append(comment.ToFullString());
            }

            var body = node is MethodDeclarationSyntax method ? (SyntaxNode?)method.Body ?? method.ExpressionBody : null;
            text.Append(body is null ? node.ToString() : node.ToString()[..(body.SpanStart - node.SpanStart)] + "=> throw null!;").Append('\n');
        }

        return text.ToString();
    }

    string Variable(IFieldSymbol field, Dictionary<ISymbol, string> hidden)
    {
        var type = TypeName(field.Type, hidden);
        if (field.IsConst && field.DeclaringSyntaxReferences[0].GetSyntax() is VariableDeclaratorSyntax { Initializer: { } value })
        {
            return $"const {type} {Name(field)} {value};";
        }

        var modifiers = $"{(field.IsStatic ? "static " : "")}{(field.IsReadOnly ? "readonly " : "")}";
        if (!type.Contains('<') || !Anonymous(field.Type).Any())
        {
            return $"{modifiers}{type} {Name(field)};";
        }

        // A type without a name is inferred from a value of it: a function turns values of its nameless parts into one of the whole.
        var parts = new List<string>();
        var whole = TypeName(WithoutAnonymous(field.Type, parts), hidden);
        var function = $"{Invented}{field.Name}";
        var names = Enumerable.Range(0, parts.Count).Select(i => $"T{i}").ToList();
        return $"static {whole} {function}<{string.Join(", ", names)}>({string.Join(", ", names.Select(n => $"{n} of{n}"))}) => throw null!;\n"
            + $"{modifiers}var {Name(field)} = {function}({string.Join(", ", parts)});";
    }

    static string Name(ISymbol symbol) => SyntaxFacts.GetKeywordKind(symbol.Name) == SyntaxKind.None ? symbol.Name : "@" + symbol.Name;

    /// <summary>A type's name as this text has to write it; types that a newer one hides are moved to a class that holds them.</summary>
    string TypeName(ITypeSymbol type, Dictionary<ISymbol, string> hidden)
    {
        var text = new StringBuilder();
        var parts = type.ToDisplayParts(FullNames);
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i].Symbol is INamedTypeSymbol { IsScriptClass: true })
            {
                // The class that the compiler makes of a cell, and the dot behind it.
                i++;
                continue;
            }

            if (parts[i].Symbol is INamedTypeSymbol { ContainingType.IsScriptClass: true } part
                && !(_visible.TryGetValue(Key(part), out var visible) && visible.Contains(part.OriginalDefinition, SymbolEqualityComparer.Default)))
            {
                hidden.TryAdd(part.OriginalDefinition, $"{Invented}{hidden.Count}");
                text.Append(hidden[part.OriginalDefinition]).Append('.');
            }

            text.Append(parts[i]);
        }

        return text.ToString();
    }

    static IEnumerable<ITypeSymbol> Anonymous(ITypeSymbol type) => type switch
    {
        { IsAnonymousType: true } => [type],
        IArrayTypeSymbol array => Anonymous(array.ElementType),
        INamedTypeSymbol named => named.TypeArguments.SelectMany(Anonymous),
        _ => [],
    };

    /// <summary>Puts T0, T1 … in the place of anonymous types, and for each adds an expression that has its type.</summary>
    ITypeSymbol WithoutAnonymous(ITypeSymbol type, List<string> parts)
    {
        switch (type)
        {
            case { IsAnonymousType: true }:
                parts.Add(Value(type));
                return _latest!.CreateErrorTypeSymbol(null, $"T{parts.Count - 1}", 0);
            case IArrayTypeSymbol array:
                return _latest!.CreateArrayTypeSymbol(WithoutAnonymous(array.ElementType, parts), array.Rank);
            case INamedTypeSymbol { TypeArguments.Length: > 0 } named:
                return named.ConstructedFrom.Construct([.. named.TypeArguments.Select(t => WithoutAnonymous(t, parts))]);
            default:
                return type;
        }
    }

    string Value(ITypeSymbol type) => type.IsAnonymousType
        ? $"new {{ {string.Join(", ", type.GetMembers().OfType<IPropertySymbol>().Select(p => $"{Name(p)} = {Value(p.Type)}"))} }}"
        : $"default({(Anonymous(type).Any() ? "object" : TypeName(type, []))})!";
}
