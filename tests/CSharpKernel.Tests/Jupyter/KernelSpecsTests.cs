using System.Text.Json.Nodes;
using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

public sealed class KernelSpecsTests : IDisposable
{
    static readonly string[] Variables = ["JUPYTER_DATA_DIR", "JUPYTER_PATH", "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"];

    readonly string _folder = Directory.CreateTempSubdirectory("specs-").FullName;
    readonly Dictionary<string, string?> _before = Variables.ToDictionary(v => v, Environment.GetEnvironmentVariable);

    public KernelSpecsTests()
    {
        foreach (var variable in Variables)
        {
            Environment.SetEnvironmentVariable(variable, null);
        }

        Environment.SetEnvironmentVariable("JUPYTER_DATA_DIR", Data);
    }

    string Data => Path.Combine(_folder, "data");

    public void Dispose()
    {
        foreach (var (name, value) in _before)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Stands in for a build of the kernel.</summary>
    static Task Build(string target)
    {
        File.WriteAllText(Path.Combine(target, "CSharpKernel.dll"), "");
        File.WriteAllText(Path.Combine(target, "CSharpKernel.runtimeconfig.json"), "");
        return Task.CompletedTask;
    }

    static string Foreign(string kernels, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(kernels, name)).FullName;
        File.WriteAllText(Path.Combine(folder, "kernel.json"), """{"argv": ["other"], "display_name": "Other", "language": "C#"}""");
        return folder;
    }

    static string[] Builds(string folder) => Directory.GetDirectories(folder, "build-*");

    [Fact]
    public async Task A_kernelspec_starts_its_own_build()
    {
        var folder = await new KernelSpecs().Install(KernelSpecs.PreferredName, Build);
        Assert.Equal(Path.Combine(Data, "kernels", ".net-csharp"), folder);
        var spec = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "kernel.json")))!;
        var arguments = spec["argv"]!.AsArray().Select(a => a!.ToString()).ToList();
        Assert.Equal(["exec", Path.Combine(Assert.Single(Builds(folder)), "CSharpKernel.dll"), "jupyter", "{connection_file}"], arguments[1..]);
        Assert.True(File.Exists(arguments[0]) && Path.GetFileNameWithoutExtension(arguments[0]) == "dotnet", arguments[0]);
        Assert.Equal((".NET (C#)", "C#", "message"), (spec["display_name"]!.ToString(), spec["language"]!.ToString(), spec["interrupt_mode"]!.ToString()));
    }

    [Fact]
    public async Task A_prefix_has_kernels_of_its_own()
    {
        var specs = new KernelSpecs(Path.Combine(_folder, "prefix"));
        Assert.Equal(Path.Combine(_folder, "prefix", "share", "jupyter", "kernels", "mine"), await specs.Install("mine", Build));
        Assert.False(Directory.Exists(Data));
        Assert.Single(specs.Uninstall());
        Assert.Empty(new KernelSpecs().Uninstall());
    }

    [Fact]
    public async Task A_new_installation_takes_the_place_of_the_one_before_unless_a_kernel_runs_from_it()
    {
        var specs = new KernelSpecs();
        var folder = await specs.Install("mine", Build);
        var first = Assert.Single(Builds(folder));
        await specs.Install("mine", Build);
        var second = Assert.Single(Builds(folder));
        Assert.NotEqual(first, second);

        using (new FileStream(Path.Combine(second, "CSharpKernel.runtimeconfig.json"), FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            await specs.Install("mine", Build);
            Assert.Equal(2, Builds(folder).Length);
            Assert.Contains(second, Builds(folder));
        }

        await specs.Install("mine", Build);
        Assert.Single(Builds(folder));
    }

    [Fact]
    public async Task A_kernelspec_of_another_program_is_never_touched()
    {
        var other = Foreign(Path.Combine(Data, "kernels"), ".NET-csharp");
        var before = File.ReadAllText(Path.Combine(other, "kernel.json"));
        var specs = new KernelSpecs();
        Assert.Equal(other, specs.TakenBy(KernelSpecs.PreferredName));
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => specs.Install(KernelSpecs.PreferredName, Build));
        Assert.Contains(other, error.Message);
        Assert.Empty(specs.Uninstall(KernelSpecs.PreferredName));
        await specs.Install(specs.OtherName(), Build);
        Assert.Single(specs.Uninstall());
        Assert.Equal(before, File.ReadAllText(Path.Combine(other, "kernel.json")));
    }

    [Theory]
    [InlineData("JUPYTER_PATH", "")]
    [InlineData("VIRTUAL_ENV", "share/jupyter")]
    [InlineData("CONDA_PREFIX", "share/jupyter")]
    public void A_name_is_looked_for_wherever_Jupyter_does(string variable, string below)
    {
        var elsewhere = Path.Combine(_folder, "elsewhere");
        Environment.SetEnvironmentVariable(variable, elsewhere);
        var other = Foreign(Path.Combine([elsewhere, .. below.Split('/'), "kernels"]), ".net-csharp");
        Assert.Equal(other, new KernelSpecs(Path.Combine(_folder, "prefix")).TakenBy(KernelSpecs.PreferredName));
    }

    [Fact]
    public async Task A_build_that_fails_leaves_what_was_there()
    {
        var specs = new KernelSpecs();
        await Assert.ThrowsAsync<IOException>(() => specs.Install("mine", _ => throw new IOException()));
        await Assert.ThrowsAsync<InvalidOperationException>(() => specs.Install("mine", _ => Task.CompletedTask));
        Assert.False(Directory.Exists(Path.Combine(Data, "kernels", "mine")));

        var folder = await specs.Install("mine", Build);
        var before = Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories);
        await Assert.ThrowsAsync<IOException>(() => specs.Install("mine", _ => throw new IOException()));
        Assert.Equal(before, Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Uninstalling_removes_own_kernelspecs_by_name_or_all()
    {
        var specs = new KernelSpecs();
        await specs.Install("one", Build);
        await specs.Install("two", Build);
        await specs.Install("three", Build);
        Assert.Equal(Path.Combine(Data, "kernels", "two"), Assert.Single(specs.Uninstall("two")));
        Assert.Equal(2, specs.Uninstall().Count);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(Data, "kernels")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("../up")]
    [InlineData("..")]
    [InlineData(".")]
    public async Task A_name_that_cannot_be_one_is_refused(string name) =>
        await Assert.ThrowsAsync<ArgumentException>(() => new KernelSpecs().Install(name, Build));
}
