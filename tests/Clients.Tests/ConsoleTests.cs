using System.Diagnostics;
using System.Globalization;

namespace Clients.Tests;

/// <summary>Jupyter Console in a terminal.</summary>
public sealed class ConsoleTests(Jupyter jupyter)
{
    /// <summary>What the console begins a line with that continues a cell.</summary>
    const string Continuation = "...:";

    [Fact]
    public async Task What_is_not_complete_goes_on_in_the_next_line()
    {
        // The console gives up asking the kernel what is complete after a second, unless told otherwise.
        await using var terminal = await Start("--ZMQTerminalInteractiveShell.kernel_is_complete_timeout=300");
        var lines = 0;
        foreach (var line in new[] { "int Twice(int n)", "{", "return 2 * n;" })
        {
            await terminal.Enter(line);
            lines++;
            await terminal.Until(screen => screen.Split(Continuation).Length == lines + 1, $"{lines} times '{Continuation}'");
        }

        await terminal.Enter("}");
        await terminal.Until("In [2]:");
        await terminal.Enter("Twice(21)");
        Assert.Contains("Out[2]: 42", await terminal.Until("In [3]:"));
    }

    [Fact]
    public async Task Tab_completes()
    {
        // Otherwise the console waits five seconds for an answer, which the first one may take where everything is busy.
        await using var terminal = await Start("--ZMQCompleter.timeout=300");
        await Run(terminal, "var someText = \"abc\";");
        await terminal.Until("In [2]:");
        await terminal.Type("someT");
        await terminal.Press("Tab");
        await terminal.Until("In [2]: someText");
        await terminal.Type(".Subs");
        await terminal.Press("Tab");
        await terminal.Until("In [2]: someText.Substring");
        await Run(terminal, "(1)");
        Assert.Contains("Out[2]: bc", await terminal.Until("In [3]:"));
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("System.Threading.Thread.Sleep(-1);")]
    [InlineData("await Task.Delay(-1);")]
    public async Task Ctrl_C_interrupts_and_the_state_stays(string endless)
    {
        // With its other prompt the console loses its handler of Ctrl-C and never tells the kernel, whichever that is (seen with 6.4.4).
        await using var terminal = await Start("--simple-prompt");
        // Written in two pieces, so that what is typed is not taken for what is printed.
        await terminal.Enter($"var kept = 5; Console.WriteLine(\"be\" + \"gun\"); {endless}");
        await terminal.Until("\nbegun");
        await terminal.Press("C-c");
        Assert.Contains("cell 1 was interrupted", await terminal.Until("In [2]:"));
        await terminal.Enter("kept + 1");
        Assert.Contains("Out[2]: 6", await terminal.Until("In [3]:"));
    }

    [Theory]
    [InlineData("input(\"Your \" + \"name: \")", "Your name:")]
    [InlineData("Console.ReadLine()", "")]
    public async Task Input_is_asked_for(string code, string prompt)
    {
        await using var terminal = await Start();
        await Run(terminal, $"Console.WriteLine(\"wai\" + \"ting\"); var name = {code}; name.Length");
        await terminal.Until($"\nwaiting\n{prompt}".TrimEnd());
        await terminal.Enter("Ada");
        Assert.Contains("Out[1]: 3", await terminal.Until("In [2]:"));
    }

    [Fact]
    public async Task A_compile_error_is_told_and_leaves_all_as_it_was()
    {
        await using var terminal = await Start();
        await Run(terminal, "var x = 1;");
        await terminal.Until("In [2]:");
        await Run(terminal, "x = \"one\";");
        Assert.Contains("error CS0029", await terminal.Until("In [3]:"));
        await Run(terminal, "x");
        Assert.Contains("Out[3]: 1", await terminal.Until("In [4]:"));
    }

    [Fact]
    public async Task Leaving_ends_the_kernel()
    {
        await using var terminal = await Start();
        await Run(terminal, "\"process \" + Environment.ProcessId");
        var screen = await terminal.Until("In [2]:");
        using var kernel = Process.GetProcessById(int.Parse(screen.Split("Out[1]: process ")[1].Split('\n')[0], CultureInfo.InvariantCulture));
        await terminal.Press("C-d");
        await terminal.Until("exit ([y]/n)?");
        await terminal.Enter("y");
        await terminal.Until("Shutting down kernel");
        await kernel.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
    }

    async Task<Terminal> Start(params string[] options)
    {
        var (console, tmux) = (Programs.Named("jupyter-console", "jupyter-console"), Programs.Named("tmux", "tmux"));
        var terminal = await Terminal.Start(jupyter, tmux, [console, $"--kernel={await jupyter.Kernel}", "--ZMQTerminalInteractiveShell.kernel_timeout=300", .. options]);
        await terminal.Until("In [1]:");
        return terminal;
    }

    /// <summary>
    /// Types a cell and runs it without the kernel being asked whether it is complete: while the console waits for that
    /// answer, it fails over keys pressed shortly before (seen with 6.4.4 on a busy machine).
    /// </summary>
    static Task Run(Terminal terminal, string code) => terminal.Enter(code, "M-Enter");
}
