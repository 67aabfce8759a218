using System.Diagnostics;
using System.Text.Json.Nodes;
using CSharpKernel.Documents;
using CSharpKernel.Tests.Jupyter;

namespace CSharpKernel.Tests;

/// <summary>The kernel as a .NET tool of its own, packed, and installed from a folder with nothing else in it.</summary>
public sealed class ToolTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("tool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    string In(params string[] parts) => Path.Combine([_folder, .. parts]);

    void DotNetRuns(string folder, params string[] arguments)
    {
        var (code, output) = DotNet.Run(folder, TestContext.Current.CancellationToken, arguments);
        Assert.True(code == 0, output);
    }

    (int Code, string Output, string Error) Tool(params string[] arguments)
    {
        var start = new ProcessStartInfo(In("tool", OperatingSystem.IsWindows() ? "csharp-kernel.exe" : "csharp-kernel"), arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_ROOT"] = Path.GetDirectoryName(DotNet.Host) },
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    [Fact]
    public void It_is_packed_installed_and_used_away_from_the_repository()
    {
        DotNetRuns(Cells.Root, "pack", Path.Combine("lib", "CSharpKernel"), "--artifacts-path", In("build"), "--output", In("feed"), "-p:RunAnalyzers=false", "-nologo", "-tl:off");
        File.WriteAllText(In("NuGet.Config"), "<configuration><packageSources><clear /><add key=\"feed\" value=\"feed\" /></packageSources></configuration>");
        // Not in the user's package folder, which would serve an earlier build of the same version.
        var before = Environment.GetEnvironmentVariable("NUGET_PACKAGES");
        Environment.SetEnvironmentVariable("NUGET_PACKAGES", In("packages"));
        try
        {
            DotNetRuns(_folder, "tool", "install", "csharp-kernel", "--tool-path", "tool");
        }
        finally
        {
            Environment.SetEnvironmentVariable("NUGET_PACKAGES", before);
        }

        File.WriteAllText(In("old.dib"), "#!markdown\n\n# Title\n\n#!csharp\n\n#!time\n6 * 7\n");
        Assert.Equal((0, "", ""), Tool("convert", "old.dib", "new.ipynb"));
        Assert.Equal(0, Tool("run", "new.ipynb", "--output", Path.Combine("out", "ran.ipynb")).Code);
        Assert.Empty(Notebook.Load(In("new.ipynb")).Cells[1].Outputs);
        Assert.Equal("42", NotebookCell.Text(Notebook.Load(In("out", "ran.ipynb")).Cells[1].Outputs[0]!["data"]!["text/plain"]));

        File.WriteAllText(In("fails.dib"), "1\n#!csharp\n\nnone\n");
        Tool("convert", "fails.dib", "fails.ipynb");
        var failed = Tool("run", "fails.ipynb");
        Assert.Equal(1, failed.Code);
        Assert.StartsWith("cell 2, line 1 failed:", failed.Error);
        Assert.Equal("error", Notebook.Load(In("fails.ipynb")).Cells[1].Outputs[0]!["output_type"]!.GetValue<string>());
        Assert.Contains("none.ipynb", Tool("run", "none.ipynb").Error);
        var unserved = Tool("jupyter", "none.json");
        Assert.Equal(1, unserved.Code);
        Assert.Contains("none.json", Assert.Single(unserved.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)));

        Assert.Equal(0, Tool("install", "--prefix", "prefix", "--name", "packed").Code);
        var folder = In("prefix", "share", "jupyter", "kernels", "packed");
        var program = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "kernel.json")))!["argv"]![2]!.GetValue<string>();
        Assert.StartsWith(folder, program);
        using (var kernel = new RunningKernel("key", program))
        {
            Assert.Equal("2", kernel.Client.Execute("1 + 1").Result);
        }

        Assert.Equal(0, Tool("uninstall", "--prefix", "prefix").Code);
        Assert.False(File.Exists(Path.Combine(folder, "kernel.json")));
    }
}
