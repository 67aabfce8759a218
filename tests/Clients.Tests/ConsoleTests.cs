namespace Clients.Tests;

/// <summary>Jupyter Console in a terminal.</summary>
public sealed class ConsoleTests(Jupyter jupyter)
{
    async Task<Terminal> Start()
    {
        var (console, tmux) = (Programs.Named("jupyter-console", "jupyter-console"), Programs.Named("tmux", "tmux"));
        return await Terminal.Start(jupyter, tmux, console, $"--kernel={await jupyter.Kernel}");
    }

    [Fact]
    public async Task A_function_of_several_lines_is_typed_and_called()
    {
        await using var terminal = await Start();
        await terminal.Until("In [1]:");
        await terminal.Type("int Twice(int n)");
        await terminal.Press("Enter");
        await terminal.Until("...:");
        foreach (var line in new[] { "{", "return 2 * n;", "}" })
        {
            await terminal.Type(line);
            await terminal.Press("Enter");
        }

        await terminal.Press("Enter");
        await terminal.Until("In [2]:");
        await terminal.Type("Twice(21)");
        await terminal.Press("Enter");
        var screen = await terminal.Until("In [3]:");
        Assert.Contains("Out[2]: 42", screen);
    }
}
