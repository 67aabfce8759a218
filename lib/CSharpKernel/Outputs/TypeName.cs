namespace CSharpKernel.Outputs;

/// <summary>Types as a reader of the notebook knows them: without namespaces and what the compiler adds.</summary>
static class TypeName
{
    public const string Anonymous = "anonymous";

    /// <summary>For instance <c>Dictionary&lt;String,Int32&gt;</c>.</summary>
    public static string Of(Type type)
    {
        if (type.IsArray)
        {
            return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Of(value) + "?";
        }

        // What the compiler makes of a function with yield.
        if (type.Name.StartsWith('<') && type.GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>)) is { } sequence)
        {
            return Of(sequence);
        }

        var name = type.Name.Split('`')[0];
        return name.Contains("AnonymousType", StringComparison.Ordinal) ? Anonymous
            : type.IsGenericType ? $"{name}<{string.Join(',', type.GetGenericArguments().Select(Of))}>"
            : name;
    }
}
