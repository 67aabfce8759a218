using YamlDotNet.RepresentationModel;

namespace Repository.Tests;

public sealed class WorkflowTests
{
    const string Folder = ".github/workflows/";

    public static TheoryData<string> Workflows => [.. Tree.Files.Where(f => f.StartsWith(Folder))];

    static YamlMappingNode Parse(string file)
    {
        using var text = File.OpenText(Tree.PathOf(file));
        var yaml = new YamlStream();
        yaml.Load(text);
        return (YamlMappingNode)yaml.Documents.Single().RootNode;
    }

    static IEnumerable<YamlMappingNode> Jobs(YamlMappingNode workflow) => ((YamlMappingNode)workflow["jobs"]).Children.Values.Cast<YamlMappingNode>();

    static IEnumerable<YamlMappingNode> Steps(YamlMappingNode workflow) => Jobs(workflow).SelectMany(j => (YamlSequenceNode)j["steps"]).Cast<YamlMappingNode>();

    [Theory, MemberData(nameof(Workflows))]
    public void Actions_are_pinned_by_commit_and_say_their_version(string file)
    {
        var actions = Steps(Parse(file)).Where(s => s.Children.ContainsKey("uses")).Select(s => s["uses"].ToString()).ToList();
        Assert.NotEmpty(actions);
        var lines = File.ReadAllLines(Tree.PathOf(file));
        Assert.All(actions, a => Assert.Matches("^[\\w-]+/[\\w-]+@[0-9a-f]{40}$", a));
        Assert.All(actions, a => Assert.Contains(lines, l => l.Contains($"{a} # v")));
    }

    [Fact]
    public void An_action_has_one_version() => Assert.All(
        Workflows.SelectMany(w => Steps(Parse(w.Data))).Where(s => s.Children.ContainsKey("uses")).Select(s => s["uses"].ToString().Split('@')).GroupBy(a => a[0]),
        action => Assert.Single(action.Select(a => a[1]).Distinct()));

    [Theory, MemberData(nameof(Workflows))]
    public void It_may_read_the_code_and_no_more(string file)
    {
        var workflow = Parse(file);
        var permission = Assert.Single(((YamlMappingNode)workflow["permissions"]).Children);
        Assert.Equal(("contents", "read"), (permission.Key.ToString(), permission.Value.ToString()));
        Assert.All(Jobs(workflow), j => Assert.False(j.Children.ContainsKey("permissions")));
        Assert.All(Steps(workflow).Where(s => s.Children.ContainsKey("uses") && s["uses"].ToString().StartsWith("actions/checkout@")), s => Assert.Equal("false", s["with"]["persist-credentials"].ToString()));
        Assert.DoesNotContain("secrets.", File.ReadAllText(Tree.PathOf(file)));
    }

    [Fact]
    public void The_tests_run_on_each_platform_as_they_do_everywhere()
    {
        var workflow = Parse(Folder + "tests.yml");
        var job = Assert.Single(Jobs(workflow));
        Assert.Equal(["ubuntu-latest", "ubuntu-22.04", "windows-latest", "macos-latest"], ((YamlSequenceNode)job["strategy"]["matrix"]["os"]).Select(o => o.ToString()));
        Assert.Equal("bash .ci/run", Assert.Single(Steps(workflow), s => s.Children.ContainsKey("run"))["run"].ToString());
        Assert.Contains(".ci/run", Tree.Files);
    }

    [Fact]
    public void Advisories_are_looked_for_on_a_schedule() =>
        Assert.True(((YamlMappingNode)Parse(Folder + "advisories.yml")["on"]).Children.ContainsKey("schedule"));
}
