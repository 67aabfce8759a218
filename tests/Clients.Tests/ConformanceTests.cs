using System.Text.RegularExpressions;

namespace Clients.Tests;

/// <summary>Jupyter's own test of kernels.</summary>
public sealed partial class ConformanceTests(Jupyter jupyter)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Jupyter_kernel_test_passes()
    {
        var python = Programs.Python("jupyter_kernel_test", "python3-jupyter-kernel-test");
        var start = jupyter.Script(python, "conformance.py", "-v");
        start.Environment["KERNEL"] = await jupyter.Kernel;
        var (code, output) = await Programs.Run(start, Limit);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        Assert.True(code == 0, output);
        // What Jupyter calls a pager is a pane of the classic Notebook that IPython's "?" fills; C# has no such thing.
        Assert.Equal(["test_pager"], Skipped().Matches(output).Select(m => m.Groups["name"].Value));
        Assert.Matches("Ran 12 tests", output);
    }

    [GeneratedRegex(@"^(?<name>test_\w+) .*skipped", RegexOptions.Multiline)]
    private static partial Regex Skipped();
}
