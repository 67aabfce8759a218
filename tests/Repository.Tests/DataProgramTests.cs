using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Repository.Tests;

/// <summary>The programs beside the data, which belong to no project: they must go on compiling against the library.</summary>
public sealed class DataProgramTests
{
    /// <summary>What the SDK puts before every program.</summary>
    const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    /// <summary>What the experiments have in common; their folder's Directory.Build.targets compiles it into each.</summary>
    static readonly string[] Shared = [.. Tree.Files.Where(f => f.StartsWith("data/experiments/log/"))];

    public static TheoryData<string> Programs { get; } = [.. Tree.Files.Where(f => f.StartsWith("data/") && f.EndsWith(".cs") && !Shared.Contains(f))];

    [Theory, MemberData(nameof(Programs))]
    public void It_compiles(string program)
    {
        var options = new CSharpParseOptions().WithFeatures([new("FileBasedProgram", "true")]);
        string[] shared = program.StartsWith("data/experiments/") ? Shared : [];
        var trees = shared.Prepend(program).Select(file => File.ReadAllText(Tree.PathOf(file))).Prepend(Usings).Select(text => CSharpSyntaxTree.ParseText(text, options));
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(file => Path.GetDirectoryName(file) == Path.GetDirectoryName(typeof(object).Assembly.Location));
        var library = new[] { "Vit", "Vit.Interactive", "TorchSharp" }.Select(name => Tree.PathOf($"lib/bin/{name}.dll"));
        var compilation = CSharpCompilation.Create(
            "program", trees, platform.Concat(library).Select(file => MetadataReference.CreateFromFile(file)),
            new(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));

        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken).Where(d => d.Severity >= DiagnosticSeverity.Warning));
    }
}
