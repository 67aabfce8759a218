using System.Reflection;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;

namespace CSharpKernel.Cells;

/// <summary>
/// The chain of compiled cells: each sees the variables, types and usings of those before it. This is the compiler's
/// script mode used directly, because Roslyn's own script runner loads a second copy of the assemblies that kernel and
/// cells share.
/// </summary>
sealed class Submissions(NotebookLoadContext context, References references)
{
    public static readonly CSharpParseOptions ParseOptions = new(Microsoft.CodeAnalysis.CSharp.LanguageVersion.Latest, kind: SourceCodeKind.Script);

    /// <summary>The version of C# that cells are written in.</summary>
    public static string LanguageVersion { get; } = LanguageVersionFacts.ToDisplayString(Microsoft.CodeAnalysis.CSharp.LanguageVersion.Latest.MapSpecifiedToEffectiveVersion());

    static readonly string[] Usings =
    [
        "System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq",
        typeof(CellFunctions).FullName!,
    ];

    // Versions of assemblies are unified when loading, so warnings about them help nobody.
    static readonly Dictionary<string, ReportDiagnostic> Suppressed = new()
    {
        ["CS1701"] = ReportDiagnostic.Suppress,
        ["CS1702"] = ReportDiagnostic.Suppress,
    };

    readonly HashSet<MetadataReference> _referenced = [];
    readonly VisibleVariables _variables = new();
    object?[] _states = new object?[2];
    int _count;

    /// <summary>How cells are compiled.</summary>
    public CSharpCompilationOptions Options { get; } = new(
        OutputKind.DynamicallyLinkedLibrary,
        usings: Usings,
        optimizationLevel: OptimizationLevel.Release,
        allowUnsafe: true,
        // A cell is too small to gain by threads.
        concurrentBuild: false,
        nullableContextOptions: NullableContextOptions.Annotations,
        specificDiagnosticOptions: Suppressed,
        metadataReferenceResolver: references,
        assemblyIdentityComparer: DesktopAssemblyIdentityComparer.Default);

    /// <summary>The newest link of the chain; null if there is none.</summary>
    public CSharpCompilation? Latest { get; private set; }

    /// <summary>The variables that the next cell can see.</summary>
    public IReadOnlyList<Variable> Variables => _variables.Read(_states);

    /// <summary>Compiles code as the next link of the chain.</summary>
    /// <param name="code">The code, whose references were followed.</param>
    /// <param name="name">What it is called in errors and traces.</param>
    /// <param name="warn">Takes the compiler's warnings.</param>
    /// <param name="hasResult">Whether it ends in an expression with a value.</param>
    /// <param name="cancellation">Stops compiling.</param>
    /// <returns>Runs it; null if there is nothing to run.</returns>
    /// <exception cref="CellException">It does not compile.</exception>
    public Func<Task<object?>>? Compile(string code, string name, Action<string> warn, out bool hasResult, CancellationToken cancellation)
    {
        var written = CSharpSyntaxTree.ParseText(SourceText.From(code, Encoding.UTF8), ParseOptions, name, cancellation);
        var points = new InterruptionPoints(written.GetRoot(cancellation));
        var tree = points.Any ? CSharpSyntaxTree.ParseText(SourceText.From(points.AddTo(code), Encoding.UTF8), ParseOptions, name, cancellation) : written;
        // A submission has the references of those before it; giving it all again would hold them once more for each cell.
        var added = references.All.Where(r => !_referenced.Contains(r)).ToList();
        // Told of the link before when it is created, the compiler would first compile that link once more to look for errors; it has none.
        var alone = CSharpCompilation.CreateScriptCompilation(
            $"cell-{++_count}", tree, added, Options.WithScriptClassName($"Submission#{_count}"), returnType: typeof(object));
        var compilation = alone.WithScriptCompilationInfo(alone.ScriptCompilationInfo!.WithPreviousScriptCompilation(Latest));
        using var assembly = new MemoryStream();
        using var symbols = new MemoryStream();
        var emitted = compilation.Emit(assembly, symbols, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb), cancellationToken: cancellation);

        var errors = emitted.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            var line = errors[0].Location.IsInSource ? errors[0].Location.GetLineSpan().StartLinePosition.Line + 1 : (int?)null;
            throw new CellException("CompilationError", string.Join('\n', errors.Select(e => Describe(e, points, written))), name, line);
        }

        foreach (var warning in emitted.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Warning))
        {
            warn(Describe(warning, points, written) + "\n");
        }

        // From here on nothing asks whether it is to stop: what is compiled runs, or later cells would find its variables empty.
        cancellation.ThrowIfCancellationRequested();
        Latest = compilation;
        _referenced.UnionWith(added);
        var root = tree.GetCompilationUnitRoot(CancellationToken.None);
        hasResult = root.Members.LastOrDefault() is GlobalStatementSyntax { Statement: var last } && (last is ReturnStatementSyntax { Expression: not null }
            || last is ExpressionStatementSyntax { SemicolonToken.IsMissing: true } ending
            && compilation.GetSemanticModel(tree).GetTypeInfo(ending.Expression, CancellationToken.None).ConvertedType is not { SpecialType: SpecialType.System_Void });
        if (root.Members.Count == 0)
        {
            // Usings alone: the compiler gives such a submission no place among the states.
            return null;
        }

        assembly.Position = symbols.Position = 0;
        var entry = compilation.GetEntryPoint(CancellationToken.None)!;
        var type = context.LoadFromStream(assembly, symbols).GetType(entry.ContainingType.MetadataName, throwOnError: true)!;
        var run = type.GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!
            .CreateDelegate<Func<object?[], Task<object?>>>();
        Array.Resize(ref _states, Math.Max(_states.Length, _count + 2));
        return () =>
        {
            _variables.Add(type, root, _states);
            return run(_states);
        };
    }

    static string Describe(Diagnostic diagnostic, InterruptionPoints points, SyntaxTree written)
    {
        var place = "";
        if (diagnostic.Location.IsInSource)
        {
            var start = written.GetText().Lines.GetLinePosition(points.Original(diagnostic.Location.SourceSpan.Start));
            place = $"{written.FilePath} ({start.Line + 1},{start.Character + 1}): ";
        }

        return $"{place}{diagnostic.Severity.ToString().ToLowerInvariant()} {diagnostic.Id}: {diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}";
    }
}
