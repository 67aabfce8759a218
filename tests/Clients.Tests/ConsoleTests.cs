namespace Clients.Tests;

/// <summary>Jupyter Console in a terminal.</summary>
public sealed class ConsoleTests(Jupyter jupyter)
{
    async Task<Terminal> Start()
    {
        var (console, tmux) = (Programs.Named("jupyter-console", "jupyter-console"), Programs.Named("tmux", "tmux"));
        var terminal = await Terminal.Start(jupyter, tmux, console, $"--kernel={await jupyter.Kernel}");
        await terminal.Until("In [1]:");
        return terminal;
    }

    [Fact]
    public async Task What_is_not_complete_goes_on_in_the_next_line()
    {
        await using var terminal = await Start();
        await terminal.Enter("int Twice(int n)");
        await terminal.Until("...:");
        await terminal.Enter("{");
        await terminal.Enter("return 2 * n;");
        await terminal.Enter("}");
        await terminal.Until("In [2]:");
        await terminal.Enter("Twice(21)");
        Assert.Contains("Out[2]: 42", await terminal.Until("In [3]:"));
    }

    [Fact]
    public async Task Tab_completes()
    {
        await using var terminal = await Start();
        await terminal.Enter("var someText = \"abc\";");
        await terminal.Until("In [2]:");
        await terminal.Type("someT");
        await terminal.Press("Tab");
        await terminal.Until("In [2]: someText");
        await terminal.Type(".Sub");
        await terminal.Press("Tab");
        await terminal.Until("In [2]: someText.Substring");
        await terminal.Enter("(1)");
        Assert.Contains("Out[2]: bc", await terminal.Until("In [3]:"));
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("System.Threading.Thread.Sleep(-1);")]
    [InlineData("await Task.Delay(-1);")]
    public async Task Ctrl_C_interrupts_and_the_state_stays(string endless)
    {
        await using var terminal = await Start();
        // Written in two pieces, so that what is typed is not taken for what is printed.
        await terminal.Enter($"var kept = 5; Console.WriteLine(\"be\" + \"gun\"); {endless}");
        await terminal.Until("\nbegun");
        await terminal.Press("C-c");
        Assert.Contains("interrupted", await terminal.Until("In [2]:"));
        await terminal.Enter("kept + 1");
        Assert.Contains("Out[2]: 6", await terminal.Until("In [3]:"));
    }

    [Theory]
    [InlineData("input(\"Your \" + \"name: \")", "Your name: ")]
    [InlineData("Console.ReadLine()", "")]
    public async Task Input_is_asked_for(string code, string prompt)
    {
        await using var terminal = await Start();
        await terminal.Enter($"Console.WriteLine(\"wai\" + \"ting\"); var name = {code}; name.Length");
        await terminal.Until($"\nwaiting\n{prompt}".TrimEnd());
        await terminal.Enter("Ada");
        Assert.Contains("Out[1]: 3", await terminal.Until("In [2]:"));
    }

    [Fact]
    public async Task A_compile_error_names_the_line_and_leaves_all_as_it_was()
    {
        await using var terminal = await Start();
        await terminal.Enter("var x = 1;");
        await terminal.Until("In [2]:");
        await terminal.Enter("x = \"one\";");
        Assert.Contains("error CS0029", await terminal.Until("In [3]:"));
        await terminal.Enter("x");
        Assert.Contains("Out[3]: 1", await terminal.Until("In [4]:"));
    }

    [Fact]
    public async Task Leaving_ends_the_kernel()
    {
        await using var terminal = await Start();
        await terminal.Enter("\"process \" + Environment.ProcessId");
        var screen = await terminal.Until("In [2]:");
        var id = int.Parse(screen.Split("Out[1]: process ")[1].Split('\n')[0], System.Globalization.CultureInfo.InvariantCulture);
        using var kernel = System.Diagnostics.Process.GetProcessById(id);
        await terminal.Press("C-d");
        await terminal.Until("exit");
        await terminal.Enter("y");
        await terminal.Until("Pane is dead (status 0");
        await kernel.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }
}
