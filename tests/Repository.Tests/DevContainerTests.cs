using System.Text.Json;
using System.Text.Json.Nodes;
using NJsonSchema;

namespace Repository.Tests;

/// <summary>The devcontainers. .ci/run runs their create command as it stands.</summary>
public sealed class DevContainerTests
{
    const string Cpu = ".devcontainer/devcontainer.json";
    const string Gpu = ".devcontainer/gpu/devcontainer.json";

    static readonly JsonDocumentOptions WithComments = new() { CommentHandling = JsonCommentHandling.Skip };

    static JsonObject Parse(string file) => JsonNode.Parse(File.ReadAllText(Tree.PathOf(file)), documentOptions: WithComments)!.AsObject();

    static async Task<List<string>> Errors(JsonObject container)
    {
        var schema = await JsonSchema.FromFileAsync(Tree.PathOf("tests/Repository.Tests/devcontainer.schema.json"), TestContext.Current.CancellationToken);
        return [.. schema.Validate(container.ToJsonString()).Select(e => e.ToString())];
    }

    [Theory]
    [InlineData(Cpu)]
    [InlineData(Gpu)]
    public async Task It_is_what_the_specification_allows(string file) => Assert.Empty(await Errors(Parse(file)));

    [Theory]
    [InlineData("""{"image": "i", "onCreateComand": "a"}""")]
    [InlineData("""{"name": "no image"}""")]
    [InlineData("""{"image": "i", "hostRequirements": {"memory": "8 GB"}}""")]
    [InlineData("""{"image": "i", "hostRequirements": {"gpu": "yes"}}""")]
    public async Task What_the_specification_does_not_allow_is_found(string text) => Assert.NotEmpty(await Errors(JsonNode.Parse(text)!.AsObject()));

    [Fact]
    public void The_GPU_is_asked_for_by_its_container_alone()
    {
        var (cpu, gpu) = (Parse(Cpu), Parse(Gpu));
        Assert.False(cpu["hostRequirements"]!.AsObject().ContainsKey("gpu"));
        Assert.True(gpu["hostRequirements"]!["gpu"]!.GetValue<bool>());
        Assert.Equal(["--gpus", "all"], gpu["runArgs"]!.AsArray().Select(a => a!.GetValue<string>()));
        Assert.Equal("true", gpu["containerEnv"]!["Cuda"]!.GetValue<string>());
        foreach (var own in new[] { "name", "hostRequirements", "runArgs", "containerEnv" })
        {
            cpu.Remove(own);
            gpu.Remove(own);
        }

        Assert.True(JsonNode.DeepEquals(cpu, gpu), "In all else the two are the same.");
    }

    [Fact]
    public void VS_Code_recommends_the_extensions_that_the_containers_bring()
    {
        static IEnumerable<string> Extensions(JsonNode? list) => list!.AsArray().Select(e => e!.GetValue<string>());
        Assert.Equal(["ms-dotnettools.csharp", "ms-toolsai.jupyter", "ms-toolsai.jupyter-renderers"], Extensions(Parse(".vscode/extensions.json")["recommendations"]));
        Assert.All([Cpu, Gpu], c => Assert.Equal(Extensions(Parse(".vscode/extensions.json")["recommendations"]), Extensions(Parse(c)["customizations"]!["vscode"]!["extensions"])));
    }

    [Fact]
    public void Its_image_has_the_SDK_that_global_json_asks_for_on_an_Ubuntu_that_libtorch_loads_on()
    {
        var sdk = Parse("global.json")["sdk"]!;
        var wanted = Version.Parse(sdk["version"]!.GetValue<string>());
        Assert.Equal("latestFeature", sdk["rollForward"]!.GetValue<string>());
        Assert.EndsWith($"-{wanted.Major}.{wanted.Minor}-noble", Parse(Cpu)["image"]!.GetValue<string>());
    }

    [Fact]
    public void Its_create_command_names_projects_that_there_are()
    {
        var command = Parse(Cpu)["onCreateCommand"]!.GetValue<string>();
        var steps = command.Split("&&", StringSplitOptions.TrimEntries).Select(s => s.Split(' ')).ToList();
        Assert.All(steps, s => Assert.Equal("dotnet", s[0]));
        Assert.Equal(["restore", "build", "run"], steps.Select(s => s[1]));
        var projects = steps.SelectMany(s => s.SkipWhile(a => a != "--project").Skip(1).Take(1)).ToList();
        Assert.Equal(["notebooks"], projects);
        Assert.All(projects, p => Assert.Contains(Tree.Files, f => f.StartsWith(p + "/") && f.EndsWith(".csproj")));
        // .ci/run reads it from a line of its own.
        Assert.Contains($"\n  \"onCreateCommand\": \"{command}\",\n", File.ReadAllText(Tree.PathOf(Cpu)).ReplaceLineEndings("\n"));
    }
}
