using System.Text;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Tags;

namespace CSharpKernel.Assistance;

/// <summary>Roslyn's answers about the C# of a cell.</summary>
sealed class CellServices(CellWorkspace workspace)
{
    /// <summary>From Roslyn's tags to the words that front ends have icons for; the first that fits counts.</summary>
    static readonly (string Tag, string Kind)[] Kinds =
    [
        (WellKnownTags.Keyword, "keyword"), (WellKnownTags.Namespace, "module"), (WellKnownTags.ExtensionMethod, "method"), (WellKnownTags.Method, "method"),
        (WellKnownTags.Property, "property"), (WellKnownTags.Field, "field"), (WellKnownTags.Event, "event"), (WellKnownTags.Constant, "constant"),
        (WellKnownTags.EnumMember, "enum member"), (WellKnownTags.Enum, "enum"), (WellKnownTags.Interface, "interface"), (WellKnownTags.Structure, "struct"),
        (WellKnownTags.Class, "class"), (WellKnownTags.Delegate, "class"), (WellKnownTags.TypeParameter, "type parameter"),
        (WellKnownTags.Local, "variable"), (WellKnownTags.RangeVariable, "variable"), (WellKnownTags.Parameter, "variable"), (WellKnownTags.Operator, "operator"),
    ];

    public async Task<Completions> Complete(string code, int cursor, CancellationToken cancellation)
    {
        var document = workspace.Open(code);
        var service = CompletionService.GetService(document)!;
        var list = await service.GetCompletionsAsync(document, cursor, cancellationToken: cancellation);
        var start = Math.Min(list.Span.Start, cursor);
        var typed = code[start..cursor];
        var items = list.ItemsList.Where(i => !i.DisplayText.StartsWith(Declarations.Invented, StringComparison.Ordinal) && !i.Tags.Contains(WellKnownTags.Operator)).ToList();
        // Front ends that do not filter for themselves show what they get, so what does not begin as typed is a last resort.
        var fitting = items.Where(i => i.FilterText.StartsWith(typed, StringComparison.OrdinalIgnoreCase)).ToList();
        fitting = fitting.Count > 0 ? fitting : [.. items.Where(i => i.FilterText.Contains(typed, StringComparison.OrdinalIgnoreCase))];

        var model = (await document.GetSemanticModelAsync(cancellation))!;
        var signatures = Signatures(model, start, fitting);
        var matches = new List<Completion>();
        foreach (var item in fitting.OrderByDescending(i => i.FilterText.StartsWith(typed, StringComparison.Ordinal)))
        {
            // A front end can only be told what to put in the place of the word; an override, for instance, begins before it,
            // and comes with usings that earlier cells have.
            var changes = (await service.GetChangeAsync(document, item, cancellationToken: cancellation)).TextChanges;
            var change = changes.FirstOrDefault(c => c.Span.Start <= start && c.Span.End >= cursor);
            if (change.NewText?.StartsWith(code[change.Span.Start..start], StringComparison.Ordinal) == true)
            {
                var kind = Kinds.FirstOrDefault(k => item.Tags.Contains(k.Tag)).Kind ?? "text";
                matches.Add(new(change.NewText[(start - change.Span.Start)..], kind, signatures.GetValueOrDefault(item.DisplayText, "")));
            }
        }

        return new([.. matches.DistinctBy(m => m.Text)], start, cursor);
    }

    /// <summary>The signatures of members and variables, by name.</summary>
    static Dictionary<string, string> Signatures(SemanticModel model, int position, IReadOnlyList<CompletionItem> items)
    {
        var container = Container(model, position);
        var names = items.Select(i => i.DisplayText).ToHashSet();
        return model.LookupSymbols(position, container, includeReducedExtensionMethods: container is ITypeSymbol)
            .Where(s => s is not INamespaceOrTypeSymbol && names.Contains(s.Name))
            .GroupBy(s => s.Name)
            .ToDictionary(g => g.Key, g => SymbolText.Line(g.First()) + (g.Count() > 1 ? $" (+ {g.Count() - 1})" : ""));
    }

    /// <summary>What stands before the dot at whose right a name begins; null if there is no dot.</summary>
    static INamespaceOrTypeSymbol? Container(SemanticModel model, int position)
    {
        var dot = position == 0 ? default : model.SyntaxTree.GetRoot().FindToken(position - 1);
        var left = dot.Parent switch
        {
            MemberAccessExpressionSyntax access => access.Expression,
            QualifiedNameSyntax name => name.Left,
            MemberBindingExpressionSyntax binding => binding.FirstAncestorOrSelf<ConditionalAccessExpressionSyntax>(c => c.WhenNotNull.Span.Contains(binding.Span))?.Expression,
            _ => null,
        };
        return left is null || !dot.IsKind(SyntaxKind.DotToken) ? null : model.GetSymbolInfo(left).Symbol as INamespaceOrTypeSymbol ?? model.GetTypeInfo(left).Type;
    }

    public async Task<JsonObject?> Inspect(string code, int cursor, int detail, CancellationToken cancellation)
    {
        var document = workspace.Open(code);
        var root = (await document.GetSyntaxRootAsync(cancellation))!;
        var model = (await document.GetSemanticModelAsync(cancellation))!;
        var symbols = Named(root, cursor, model) is { Count: > 0 } named ? named : Called(root, cursor, model);
        if (symbols.Count == 0)
        {
            return null;
        }

        var (plain, markdown) = (new StringBuilder(), new StringBuilder());
        var told = "";
        foreach (var symbol in symbols.Take(detail > 0 ? int.MaxValue : 12))
        {
            var signature = SymbolText.Signature(symbol);
            // Of further overloads only what is new.
            var text = SymbolText.Documentation(symbol, model.Compilation, plain.Length == 0 ? detail : detail - 1, cancellation);
            (text, told) = (text == told ? "" : text, text);
            plain.Append($"{signature}\n{(text.Length > 0 ? $"{text}\n\n" : "")}");
            markdown.Append($"```csharp\n{signature}\n```\n\n{(text.Length > 0 ? $"{text}\n\n" : "")}");
        }

        return new() { ["text/plain"] = plain.ToString().TrimEnd(), ["text/markdown"] = markdown.ToString().TrimEnd() };
    }

    /// <summary>What the name at the cursor means.</summary>
    static IReadOnlyList<ISymbol> Named(SyntaxNode root, int cursor, SemanticModel model)
    {
        var token = new[] { cursor, cursor - 1 }.Where(p => p >= 0).Select(p => root.FindToken(p))
            .FirstOrDefault(t => t.Span.IntersectsWith(cursor) && (t.IsKind(SyntaxKind.IdentifierToken) || SyntaxFacts.IsPredefinedType(t.Kind())));
        if (token.Parent is not { } node)
        {
            return [];
        }

        if (model.GetDeclaredSymbol(node) is { } declared)
        {
            return [declared];
        }

        var found = model.GetSymbolInfo(node);
        return found.Symbol is { } symbol ? [symbol] : [.. found.CandidateSymbols];
    }

    /// <summary>The overloads of the call between whose parentheses the cursor stands, the one that fits best first.</summary>
    static IReadOnlyList<ISymbol> Called(SyntaxNode root, int cursor, SemanticModel model)
    {
        var list = root.FindToken(Math.Max(cursor - 1, 0)).Parent?.AncestorsAndSelf().OfType<BaseArgumentListSyntax>().FirstOrDefault(l =>
        {
            var (open, close) = (l.ChildTokens().First(), l.ChildTokens().Last());
            return cursor >= open.Span.End && (cursor <= close.SpanStart || close.IsMissing);
        });
        if (list?.Parent is not { } call)
        {
            return [];
        }

        IEnumerable<ISymbol> all = call switch
        {
            InvocationExpressionSyntax { Expression: var called } => model.GetMemberGroup(called) is { Length: > 0 } group ? OfReceiver(called, group, model)
                : model.GetTypeInfo(called).Type is INamedTypeSymbol { DelegateInvokeMethod: { } invoke } ? [invoke] : [],
            BaseObjectCreationExpressionSyntax or ConstructorInitializerSyntax => model.GetMemberGroup(call),
            ElementAccessExpressionSyntax { Expression: var indexed } => model.GetIndexerGroup(indexed),
            _ => [],
        };
        var best = model.GetSymbolInfo(call).Symbol;
        var count = list.Arguments.Count == 0 ? 0 : list.Arguments.GetSeparators().Count(s => s.Span.End <= cursor) + 1;
        return [.. all.OrderByDescending(s => SymbolEqualityComparer.Default.Equals(s, best)).ThenBy(s => Parameters(s) < count).ThenBy(Parameters)];
    }

    /// <summary>Of a type's name only its static methods, of a value all others.</summary>
    static IEnumerable<ISymbol> OfReceiver(ExpressionSyntax called, IReadOnlyList<ISymbol> group, SemanticModel model)
    {
        var receiver = called is MemberAccessExpressionSyntax access ? model.GetSymbolInfo(access.Expression).Symbol : null;
        return receiver is null ? group : group.Where(m => m.IsStatic == receiver is INamedTypeSymbol);
    }

    static int Parameters(ISymbol symbol) => symbol switch
    {
        IMethodSymbol method => method.Parameters is [.., { IsParams: true }] ? int.MaxValue : method.Parameters.Length,
        IPropertySymbol property => property.Parameters.Length,
        _ => 0,
    };
}
