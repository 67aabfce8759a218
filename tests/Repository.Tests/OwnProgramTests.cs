using System.Reflection;
using CSharpKernel;

namespace Repository.Tests;

/// <summary>A program of one file that a reader puts into the clone: built with the library, not held to this repository's warnings.</summary>
public sealed class OwnProgramTests
{
    const string Careless = """
        #:project ../../lib/Vit/Vit.csproj
        #:property PublishAot=false
        using System.Text;
        using Vit.Data;

        string name = null;
        int unused = 1;
        Console.WriteLine(Normalization.Half.Mean.Count);
        """;

    // In the clone, where its build properties count, and where git looks away. Always the same: for each program that it
    // has built the SDK keeps a folder.
    static readonly string Folder = Directory.CreateDirectory(Tree.PathOf("artifacts/own")).FullName;

    [Fact]
    public void An_unused_using_a_null_or_an_unused_variable_does_not_stop_it()
    {
        var (code, output) = Build(Careless);
        Assert.True(code == 0, output);
        Assert.Contains("warning CS8600", output);
        Assert.Contains("warning CS0219", output);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void What_the_README_shows_builds_without_a_warning(bool fineTuned)
    {
        var (code, output) = Build(string.Join('\n', fineTuned ? OwnImagesTests.FineTuning() : OwnImagesTests.Lines()).Replace("#:project lib/", "#:project ../../lib/"));
        Assert.True(code == 0 && !output.Contains("warning", StringComparison.OrdinalIgnoreCase), output);
    }

    static (int ExitCode, string Output) Build(string program)
    {
        File.WriteAllText(Path.Combine(Folder, "own.cs"), program);
        // As the tests were built, so that the library is up to date.
        var configuration = typeof(OwnProgramTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        return DotNet.Run(Folder, TestContext.Current.CancellationToken, "build", "own.cs", "-c", configuration, "--verbosity", "quiet", "-tl:off");
    }
}
