using CSharpKernel.Headless;
using CSharpKernel.Outputs;

namespace CSharpKernel.Tests;

public sealed class KernelProcessTests : IDisposable
{
    readonly KernelProcess _process = KernelProcess.Start(Path.GetTempPath());
    readonly List<Output> _outputs = [];
    int _count;

    public void Dispose() => _process.Dispose();

    async Task<bool> Run(string code, TimeSpan? timeout = null)
    {
        _outputs.Clear();
        return await _process.Execute(code, $"cell {++_count}", _outputs.Add, timeout, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cells_run_in_another_process_and_their_outputs_come_back()
    {
        Assert.True(await Run("var x = Environment.ProcessId; Console.WriteLine(\"ä🙂\\u001e\"); display(HTML(\"<b/>\")); x"));
        Assert.Equal("ä🙂\u001e\n", Cells.Text(_outputs, "stdout"));
        Assert.IsType<Output.Display>(_outputs[1]);
        Assert.NotEqual($"{Environment.ProcessId}", Assert.IsType<Output.Result>(_outputs[2]).Data["text/plain"]!.GetValue<string>());
        Assert.False(await Run("throw new Exception(\"no\");"));
        Assert.Equal(1, Assert.IsType<Output.Error>(_outputs[^1]).Line);
        Assert.True(await Run("var big = new byte[300 << 20]; Array.Fill(big, (byte)1);"));
        Assert.InRange(_process.PeakMemory, 300 << 20, 3L << 30);
    }

    [Fact]
    public async Task What_is_written_past_the_console_is_kept_as_text()
    {
        Assert.True(await Run("""
            void Raw(System.IO.Stream to, string text) { to.Write(Encoding.UTF8.GetBytes(text)); to.Flush(); }
            Raw(Console.OpenStandardOutput(), "native é\n{\"Succeeded\":true}\n");
            Raw(Console.OpenStandardOutput(), "\u001enot json\n");
            Raw(Console.OpenStandardOutput(), "half");
            Console.WriteLine("console");
            """));
        Assert.Equal("native é\n{\"Succeeded\":true}\nnot json\nhalfconsole\n", Cells.Text(_outputs, "stdout"));
    }

    [Fact]
    public async Task What_libtorch_says_of_a_processor_that_it_does_not_know_is_left_out()
    {
        // At its end all that a process has written is waited for.
        await Assert.ThrowsAsync<KernelDiedException>(() => Run("""
            void Raw(string text) { using var to = Console.OpenStandardError(); to.Write(Encoding.UTF8.GetBytes(text)); to.Flush(); }
            var line = "[W1130 11:34:47.088934233 NNPACK.cpp:56] Could not initialize NNPACK! Reason: Unsupported hardware.\n";
            foreach (var text in new[] { "a\n" + line, line + line[..20], line[20..] + "b\n[W1130 11:34:47.1 Copy.cpp:7] c\n", "[W1" })
                Raw(text);
            Environment.Exit(3);
            """));
        Assert.Equal("a\nb\n[W1130 11:34:47.1 Copy.cpp:7] c\n[W1", Cells.Text(_outputs, "stderr"));
    }

    [Fact]
    public async Task Outputs_do_not_depend_on_the_machines_culture() =>
        Assert.True(await Run("if (1.5.ToString() != \"1.5\") throw new Exception();\nawait Task.Run(() => { if (1.5.ToString() != \"1.5\") throw new Exception(); });"));

    [Fact]
    public async Task Reading_input_is_an_error()
    {
        Assert.False(await Run("Console.ReadLine()"));
        Assert.Contains("no input", Assert.IsType<Output.Error>(_outputs[^1]).Message);
    }

    [Fact]
    public async Task Json_that_cannot_be_sent_is_the_cells_error()
    {
        Assert.False(await Run("\"[\\\"\\\\ud83d\\\"]\".DisplayAs(\"application/json\");"));
        Assert.IsType<Output.Error>(Assert.Single(_outputs));
    }

    [Theory]
    [InlineData("Console.WriteLine(\"last words\"); Environment.Exit(3);", "exit code 3")]
    [InlineData("Console.WriteLine(\"last words\"); Environment.FailFast(\"crash\");", "SIGABRT")]
    [InlineData("Console.WriteLine(\"last words\"); System.Diagnostics.Process.GetCurrentProcess().Kill();", "SIGKILL")]
    [InlineData("Console.WriteLine(\"last words\"); System.Runtime.InteropServices.Marshal.WriteByte((nint)0x1234567, 1);", "SIG")]
    [InlineData("Console.WriteLine(\"last words\"); int F(int x) => x + F(x + 1) + F(x + 2);\nF(0)", "SIGABRT")]
    [InlineData("Console.WriteLine(\"last words\"); new System.Threading.Thread(() => throw new Exception(\"elsewhere\")).Start(); System.Threading.Thread.Sleep(-1);", "SIGABRT")]
    public async Task A_cell_that_ends_its_process_is_told_with_what_it_had_printed(string code, string exit)
    {
        Assert.True(await Run("1"));
        var died = await Assert.ThrowsAsync<KernelDiedException>(() => Run(code));
        Assert.StartsWith("cell 2 ended the process", died.Message);
        Assert.Contains(OperatingSystem.IsWindows() && exit.StartsWith("SIG") ? "exit code" : exit, died.Message);
        Assert.Contains("last words\n", Cells.Text(_outputs, "stdout"));
        await Assert.ThrowsAsync<KernelDiedException>(() => Run("1"));
    }

    [Fact]
    public async Task A_cell_that_takes_too_long_is_stopped()
    {
        var error = await Assert.ThrowsAsync<TimeoutException>(() => Run("while (true) { System.Threading.Thread.Sleep(5); }", TimeSpan.FromMilliseconds(1)));
        Assert.Equal("cell 1 ran longer than 0.001 s and was stopped.", error.Message);
    }

    [Fact]
    public async Task What_a_cell_had_printed_when_it_was_stopped_is_kept()
    {
        using var stop = new CancellationTokenSource();
        var printed = "";
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _process.Execute("Console.Write(\"working\"); while (true) { System.Threading.Thread.Sleep(5); }", "cell 1", output =>
        {
            printed += Assert.IsType<Output.Stream>(output).Text;
            stop.Cancel();
        }, cancellation: stop.Token));
        Assert.Equal("working", printed);
    }
}
