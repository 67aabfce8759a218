using System.Text.RegularExpressions;

namespace Clients.Tests;

/// <summary>A client without Jupyter and without Python, as VS Code's Jupyter extension has one: JupyterLab's, on ZeroMQ's sockets.</summary>
public sealed partial class RawClientTests(Jupyter jupyter)
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task It_executes_completes_interrupts_by_message_and_restarts()
    {
        var (node, npm) = (Programs.Named("node", "nodejs"), Programs.Named(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", "npm"));
        var folder = Directory.CreateDirectory(Path.Combine(jupyter.Folder, "raw")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(TheSeries.Root, "tests", "Clients.Tests", "raw")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var install = jupyter.Program(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        install.WorkingDirectory = folder;
        var (code, output) = await Programs.Run(install, Limit);
        Assert.SkipWhen(code != 0 && Unreachable().IsMatch(output), $"Needs npm's registry:\n{output}");
        Assert.True(code == 0, output);

        var client = jupyter.Program(node, "client.mjs", Path.Combine(jupyter.Data, "kernels", await jupyter.Kernel, "kernel.json"));
        client.WorkingDirectory = folder;
        (code, output) = await Programs.Run(client, Limit);
        Assert.True(code == 0, output);
        Assert.Contains("executed, completed, interrupted, restarted", output);
    }

    [GeneratedRegex("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT")]
    private static partial Regex Unreachable();
}
