using System.Reflection;
using PublicApiGenerator;
using Vit.Interactive;
using Vit.Models;

namespace Vit.Tests;

public sealed class PublicApiTests
{
    /// <summary>Set it to 1 to write the list anew.</summary>
    const string Refresh = "REFRESH_PUBLIC_API";

    [Theory]
    [InlineData(typeof(VisionTransformer), "PublicApi.txt")]
    [InlineData(typeof(Show), "PublicApi.Interactive.txt")]
    public void The_public_API_is_the_one_listed(Type type, string name)
    {
        var root = typeof(PublicApiTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;
        var list = Path.Combine(root, "tests", "Vit.Tests", name);
        var api = type.Assembly.GeneratePublicApi(new() { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable(Refresh) == "1")
        {
            File.WriteAllText(list, api);
        }

        var listed = File.ReadAllText(list).ReplaceLineEndings("\n");
        var (added, gone) = (Lines(api).Except(Lines(listed)), Lines(listed).Except(Lines(api)));
        Assert.True(api == listed, $"If the change is meant, run the tests with {Refresh}=1 and commit {name}.\n{string.Join('\n', gone.Select(l => "- " + l).Concat(added.Select(l => "+ " + l)))}");
    }

    static string[] Lines(string text) => text.Split('\n');
}
