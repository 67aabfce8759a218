using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CSharpKernel.Cells;

/// <summary>The variables that the next cell can see. One that nothing can reach any more, because its name was given anew, lets go of its value.</summary>
sealed class VisibleVariables
{
    const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    readonly Lock _lock = new();
    readonly Dictionary<string, (FieldInfo Field, int Cell)> _visible = [];
    readonly Dictionary<string, int> _lastMention = [];
    int _cell;

    /// <summary>Adds what a cell declares, before it runs.</summary>
    /// <param name="type">The class that the compiler has made of the cell.</param>
    /// <param name="root">The cell.</param>
    /// <param name="states">The instances of such classes so far.</param>
    public void Add(Type type, CompilationUnitSyntax root, object?[] states)
    {
        _cell++;
        lock (_lock)
        {
            foreach (var member in type.GetMembers(Declared).DistinctBy(m => m.Name))
            {
                // Functions and types that outlive their cell go on to use what they mention.
                if (_visible.Remove(member.Name, out var before) && _lastMention.GetValueOrDefault(member.Name) < before.Cell && !before.Field.IsInitOnly)
                {
                    before.Field.SetValue(Owner(before.Field, states), null);
                }

                if (member is FieldInfo { IsLiteral: false } field && !field.Name.Contains('<'))
                {
                    _visible[field.Name] = (field, _cell);
                }
            }
        }

        var outliving = root.Members.SelectMany(m => m is FieldDeclarationSyntax or GlobalStatementSyntax
            ? m.DescendantNodes().Where(n => n is AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax or QueryExpressionSyntax)
            : [m]);
        foreach (var name in outliving.SelectMany(n => n.DescendantTokens()).Where(t => t.IsKind(SyntaxKind.IdentifierToken)))
        {
            _lastMention[name.ValueText] = _cell;
        }
    }

    /// <summary>Reads them, in the order of their names.</summary>
    public IReadOnlyList<Variable> Read(object?[] states)
    {
        lock (_lock)
        {
            return [.. from variable in _visible
                       let owner = Owner(variable.Value.Field, states)
                       where owner is not null
                       orderby variable.Key
                       select new Variable(variable.Key, variable.Value.Field.FieldType, variable.Value.Field.GetValue(owner))];
        }
    }

    static object? Owner(FieldInfo field, object?[] states) => Array.Find(states, s => s?.GetType() == field.DeclaringType);
}
