using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
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

    [Fact]
    public void The_smallest_program_prints_what_the_README_says_it_does()
    {
        string[] blocks = [.. new Document("README.md").CodeBlocks.Select(block => block.Code)];
        var program = Array.FindIndex(blocks, block => block.Contains("Classify(\"data/photos", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(Folder, "name.cs"), blocks[program].Replace("#:project lib/", "#:project ../../lib/"));

        var (code, output) = DotNet.Run(Tree.Root, TestContext.Current.CancellationToken, "run", Path.Combine(Folder, "name.cs"), "-c", Configuration);

        Assert.True(code == 0, output);
        var (expected, printed) = (Answers(blocks[program + 1]), Answers(output));
        Assert.Equal(expected.Select(it => it.Name), printed.Select(it => it.Name));
        foreach (var (wanted, found) in expected.Zip(printed))
            Assert.Equal(wanted.Percent, found.Percent, tolerance: 1.0);    // another processor rounds otherwise

        static (string Name, double Percent)[] Answers(string text) =>
            [.. Regex.Matches(text, @"(\w+): (\d+) %").Select(match => (match.Groups[1].Value, double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))).OrderBy(it => it.Item1, StringComparer.Ordinal)];
    }

    // As the tests were built, so that the library is up to date.
    static string Configuration => typeof(OwnProgramTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    static (int ExitCode, string Output) Build(string program)
    {
        File.WriteAllText(Path.Combine(Folder, "own.cs"), program);
        return DotNet.Run(Folder, TestContext.Current.CancellationToken, "build", "own.cs", "-c", Configuration, "--verbosity", "quiet", "-tl:off");
    }
}
