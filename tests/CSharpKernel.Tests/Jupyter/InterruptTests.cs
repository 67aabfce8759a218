using System.Runtime.InteropServices;
using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

public sealed class InterruptTests(RunningKernel kernel) : IClassFixture<RunningKernel>
{
    readonly KernelClient _client = kernel.Client;

    /// <summary>Runs a cell that waits for ever at its end, and interrupts it there.</summary>
    void Interrupt(string code)
    {
        var cell = _client.SendExecute(code + "\nConsole.WriteLine(\"started\"); await Task.Delay(-1);");
        _client.PublishedUntil(m => m.ParentId == cell && m.Type == "stream");
        _client.Send(Channel.Control, "interrupt_request", []);
        Assert.Equal("error", _client.Answer(Channel.Shell, cell).Status);
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("System.Threading.Thread.Sleep(-1);")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("while (true) { await Task.Delay(1); steps++; }")]
    [InlineData("await Task.Yield(); while (true) { steps++; }")]
    [InlineData("while (true) { try { System.Threading.Thread.Sleep(-1); } catch { } }")]
    [InlineData("async Task Endless() { while (true) { await Task.Yield(); steps++; } }\nEndless().Wait();")]
    [InlineData("while (true) { Console.Write(steps++ % 10 == 0 ? \".\" : \"\"); }")]
    [InlineData("while (true) { display(steps++); System.Threading.Thread.Sleep(1); }")]
    [InlineData("IEnumerable<int> Forever() { while (true) { yield return 1; } }\nForever().Sum(x => 0)")]
    [InlineData("Console.ReadLine()")]
    [InlineData("await Task.Run(() => input())")]
    public void What_never_ends_is_interrupted_and_state_stays(string code)
    {
        _client.Execute("var kept = 5; var steps = 0L;");
        var endless = _client.SendExecute($"Console.WriteLine(\"started\");\n{code}");
        _client.PublishedUntil(m => m.ParentId == endless && m.Summary.StartsWith("stdout started", StringComparison.Ordinal));
        Assert.Equal("ok", _client.Ask(Channel.Control, "interrupt_request").Status);
        var cell = _client.Answer(Channel.Shell, endless);
        Assert.Equal("System.OperationCanceledException", cell.Reply.Text("ename"));
        Assert.Single(cell.Published, m => m.Type == "error");
        Assert.Equal("6", _client.Execute("kept + 1").Result);

        // None of it goes on behind the next cell.
        Assert.Equal("True", _client.Execute("var before = steps; System.Threading.Thread.Sleep(5); steps == before").Result);
    }

    [Theory]
    [InlineData("""
        while (true)
        {
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(model.forward(images.Images), images.Labels);
            loss.backward();
            optimizer.step();
            steps.Report(default);
        }
        """)]
    [InlineData("foreach (var epoch in trainer.Run()) { }")]
    public void A_training_is_interrupted_between_two_steps_and_goes_on(string training)
    {
        using var own = new RunningKernel();
        var client = own.Client;
        var bin = Path.Combine(Cells.Root, "lib", "bin");
        Assert.Equal("ok", client.Execute($$"""
            #r "{{bin}}/Vit.dll"
            #r "{{bin}}/TorchSharp.dll"
            using TorchSharp;
            using Vit.Data;
            using Vit.Models;
            using Vit.Training;
            using static TorchSharp.torch;
            class Steps : IProgress<TrainingProgress>
            {
                public long Count;
                public void Report(TrainingProgress progress)
                {
                    if (++Count == 3) { Console.WriteLine("trains"); }
                }
            }
            set_num_threads(1);
            var model = new VisionTransformer(new() { ImageHeight = 8, ImageWidth = 8, Channels = 1, PatchSize = 4, Layers = 2, Width = 16, MlpWidth = 32, Heads = 2, Classes = 2 });
            var images = new ImageSet(rand(16, 1, 8, 8), arange(16).remainder(2), ["even", "odd"]);
            var steps = new Steps();
            var trainer = new Trainer(model, images, images, new() { Epochs = 1_000_000, BatchSize = 4, Device = "cpu" }) { Progress = steps };
            var optimizer = optim.AdamW(model.parameters());
            """).Status);
        var endless = client.SendExecute(training);
        client.PublishedUntil(m => m.ParentId == endless && m.Summary == "stdout trains");
        Assert.Equal("ok", client.Ask(Channel.Control, "interrupt_request").Status);
        var cell = client.Answer(Channel.Shell, endless);
        Assert.Equal("System.OperationCanceledException", cell.Reply.Text("ename"));
        Assert.Single(cell.Published, m => m.Type == "error");

        // No step is half done: all weights are numbers, and training takes up where it was.
        Assert.Equal("True", client.Execute("var before = steps.Count; model.parameters().All(p => p.isfinite().all().item<bool>())").Result);
        Assert.Equal("True", client.Execute("trainer.Run().First().Epoch > 0 && steps.Count >= before && before >= 3").Result);
    }

    [Theory]
    [InlineData("new System.Threading.Thread(Work).Start();")]
    [InlineData("System.Threading.ThreadPool.QueueUserWorkItem(_ => Work());")]
    public void What_a_cell_has_left_to_other_threads_ends_without_a_word_even_behind_the_next_cell(string start)
    {
        _client.Execute("var (go, ended) = (new System.Threading.ManualResetEventSlim(), new System.Threading.ManualResetEventSlim());");
        Interrupt($$"""
            void Work()
            {
                try
                {
                    go.Wait();
                    while (true) { }
                }
                finally
                {
                    ended.Set();
                }
            }
            {{start}}
            """);
        Assert.Equal(["execute_result ended"], _client.Execute("go.Set(); ended.Wait(); \"ended\"").Outputs);
    }

    [Fact]
    public void An_exception_on_a_thread_of_an_interrupted_cell_is_told_and_kills_nothing()
    {
        _client.Execute("var go = new System.Threading.ManualResetEventSlim();");
        Interrupt("new System.Threading.Thread(() => { go.Wait(); throw new Exception(\"stray\"); }).Start();");
        _client.SendExecute("go.Set();");
        _client.PublishedUntil(m => m.Summary.Contains("System.Exception: stray"));
        Assert.Equal("1", _client.Execute("1").Result);
    }

    [Fact]
    public void A_cell_is_interrupted_when_one_of_its_threads_has_failed()
    {
        var endless = _client.SendExecute("async void Stray() { await Task.Yield(); throw new Exception(\"stray\"); }\nStray();\nawait Task.Delay(-1);");
        _client.PublishedUntil(m => m.ParentId == endless && m.Summary.Contains("System.Exception: stray"));
        _client.Send(Channel.Control, "interrupt_request", []);
        Assert.Equal("error", _client.Answer(Channel.Shell, endless).Status);
        Assert.Equal("1", _client.Execute("1").Result);
    }

    [Fact]
    public void Many_interrupts_of_printing_leave_printing_whole()
    {
        for (var i = 0; i < 100; i++)
        {
            var printing = _client.SendExecute("while (true) { Console.WriteLine(\"x\"); }");
            _client.PublishedUntil(m => m.ParentId == printing && m.Type == "stream");
            _client.Send(Channel.Control, "interrupt_request", []);
            Assert.Equal("error", _client.Answer(Channel.Shell, printing).Status);
        }

        Assert.Equal(["stdout whole", "execute_result 1"], _client.Execute("Console.WriteLine(\"whole\"); 1").Outputs);
    }

    [Fact]
    public void An_interrupt_aborts_what_is_queued_behind_the_cell()
    {
        var endless = _client.SendExecute("Console.WriteLine(\"started\"); await Task.Delay(-1);");
        var queued = _client.SendExecute("1");
        _client.PublishedUntil(m => m.ParentId == endless && m.Type == "stream");
        _client.Send(Channel.Control, "interrupt_request", []);
        Assert.Equal("error", _client.Answer(Channel.Shell, endless).Status);
        Assert.Equal("aborted", _client.Answer(Channel.Shell, queued).Status);
    }

    [Fact]
    public void With_no_cell_running_an_interrupt_changes_nothing()
    {
        Assert.Equal("ok", _client.Ask(Channel.Control, "interrupt_request").Status);
        Assert.Equal("1", _client.Execute("1").Result);
    }

    [Fact]
    public void Questions_are_answered_while_a_cell_runs_and_the_kernel_stays_busy()
    {
        var endless = _client.SendExecute("Console.WriteLine(\"started\"); await Task.Delay(-1);");
        _client.PublishedUntil(m => m.ParentId == endless && m.Type == "stream");
        var id = _client.Send(Channel.Shell, "is_complete_request", new() { ["code"] = "1" });
        Assert.Equal(id, _client.Receive(Channel.Shell).ParentId);
        _client.PublishedUntil(m => m.ParentId == id && m.Summary == "idle");
        var after = _client.Receive(Channel.Iopub);
        Assert.Equal((endless, "busy"), (after.ParentId, after.Summary));
        _client.Send(Channel.Control, "interrupt_request", []);
        Assert.Equal("error", _client.Answer(Channel.Shell, endless).Status);
    }

    [Fact]
    public void The_signal_of_an_interrupted_terminal_interrupts_the_cell_and_not_the_kernel()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such signal for another process.");
        }

        var endless = _client.SendExecute("Console.WriteLine(\"started\"); while (true) { }");
        _client.PublishedUntil(m => m.ParentId == endless && m.Type == "stream");
        Assert.Equal(0, Kill(kernel.Process.Id, 2));
        Assert.Equal("error", _client.Answer(Channel.Shell, endless).Status);
        Assert.Equal("1", _client.Execute("1").Result);
    }

    [DllImport("libc", EntryPoint = "kill")]
    static extern int Kill(int process, int signal);
}
