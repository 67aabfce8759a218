using System.Text.Json.Nodes;
using CSharpKernel.Jupyter;
using NetMQ;
using NetMQ.Sockets;

namespace CSharpKernel.Tests.Jupyter;

public sealed class ExecuteTests(RunningKernel kernel) : IClassFixture<RunningKernel>
{
    readonly KernelClient _client = kernel.Client;

    [Fact]
    public void A_cell_is_busy_gives_its_outputs_and_is_idle()
    {
        var cell = _client.Execute("Console.WriteLine(\"out\"); Console.Error.WriteLine(\"err\"); display(\"shown\"); 6 * 7");
        Assert.Equal(["busy", "execute_input", "stdout out", "stderr err", "display_data shown", "execute_result 42", "idle"], cell.Published.Select(m => m.Summary));
        var count = cell.Reply.Content["execution_count"]!.GetValue<int>();
        Assert.Equal("ok", cell.Status);
        Assert.Equal("execute_reply", cell.Reply.Type);
        Assert.Equal(count, cell.Published[1].Content["execution_count"]!.GetValue<int>());
        Assert.Equal(count, cell.Published[^2].Content["execution_count"]!.GetValue<int>());
        Assert.Equal(count + 1, _client.Execute("1").Reply.Content["execution_count"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("throw new InvalidOperationException(\"no\");", "System.InvalidOperationException")]
    [InlineData("await Task.Delay(1); throw new InvalidOperationException(\"no\");", "System.InvalidOperationException")]
    [InlineData("nowhere + 1", "CompilationError")]
    [InlineData("#!nothing", "DirectiveError")]
    public void A_failing_cell_gives_exactly_one_error(string code, string name)
    {
        var cell = _client.Execute(code);
        var error = Assert.Single(cell.Published, m => m.Type == "error");
        Assert.Equal("error", cell.Status);
        Assert.Equal(name, error.Text("ename"));
        foreach (var part in new[] { "ename", "evalue", "traceback" })
        {
            Assert.True(JsonNode.DeepEquals(cell.Reply.Content[part], error.Content[part]), part);
        }

        Assert.Equal("2", _client.Execute("1 + 1").Result);
    }

    [Fact]
    public void A_silent_cell_changes_state_and_shows_nothing()
    {
        var before = _client.Execute("var quiet = 1;").Reply.Content["execution_count"]!.GetValue<int>();
        var silent = _client.Execute("Console.WriteLine(quiet); quiet = 2", new() { ["silent"] = true });
        Assert.Equal(["busy", "idle"], silent.Published.Select(m => m.Summary));
        Assert.Equal(before, silent.Reply.Content["execution_count"]!.GetValue<int>());
        var failing = _client.Execute("throw new Exception(\"unseen\");", new() { ["silent"] = true });
        Assert.Equal(["busy", "idle"], failing.Published.Select(m => m.Summary));
        Assert.Equal("unseen", failing.Reply.Text("evalue"));
        Assert.Equal(before, _client.Execute("1", new() { ["store_history"] = false }).Reply.Content["execution_count"]!.GetValue<int>());
        Assert.Equal("2", _client.Execute("quiet").Result);
    }

    [Fact]
    public void User_expressions_are_evaluated_after_the_cell_each_by_itself()
    {
        var cell = _client.Execute("var chosen = 20;", new() { ["user_expressions"] = new JsonObject { ["twice"] = "chosen * 2", ["wrong"] = "missing", ["thrown"] = "int.Parse(\"x\")" } });
        var values = cell.Reply.Content["user_expressions"]!;
        Assert.Equal("ok", values["twice"]!["status"]!.GetValue<string>());
        Assert.Equal("40", values["twice"]!["data"]!["text/plain"]!.GetValue<string>());
        Assert.Equal("CompilationError", values["wrong"]!["ename"]!.GetValue<string>());
        Assert.Equal("System.FormatException", values["thrown"]!["ename"]!.GetValue<string>());
        Assert.Equal("ok", cell.Status);
        Assert.Empty(cell.Outputs);
    }

    [Fact]
    public void An_error_aborts_the_cells_that_are_queued_and_no_later_ones()
    {
        // The failing cell ends when all have arrived: the last of them is on its way over another socket.
        var failing = _client.SendExecute("Console.ReadLine(); throw new Exception();");
        var queued = Enumerable.Range(0, 3).Select(i => _client.SendExecute($"var aborted{i} = {i};")).ToList();
        var question = _client.Send(Channel.Shell, "history_request", new() { ["hist_access_type"] = "tail", ["n"] = 1 });
        _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = "" }, _client.Receive(Channel.Stdin).Id);
        Assert.Equal("error", _client.Answer(Channel.Shell, failing).Status);
        foreach (var id in queued)
        {
            var cell = _client.Answer(Channel.Shell, id);
            Assert.Equal("aborted", cell.Status);
            Assert.Equal(["busy", "idle"], cell.Published.Select(m => m.Summary));
        }

        Assert.Equal("ok", _client.Answer(Channel.Shell, question).Status);
        Assert.Equal("CompilationError", _client.Execute("aborted0").Reply.Text("ename"));
        Assert.Equal("1", _client.Execute("1").Result);
    }

    [Fact]
    public void Without_stop_on_error_the_queued_cells_run()
    {
        var failing = _client.SendExecute("Console.ReadLine(); throw new Exception();", new() { ["stop_on_error"] = false });
        var queued = _client.SendExecute("\"ran\"");
        _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = "" }, _client.Receive(Channel.Stdin).Id);
        Assert.Equal("error", _client.Answer(Channel.Shell, failing).Status);
        Assert.Equal("ran", _client.Answer(Channel.Shell, queued).Result);
    }

    [Fact]
    public void Displays_are_updated_in_place_and_taken_away()
    {
        var cell = _client.Execute("var shown = display(\"one\"); var other = display(\"other\"); shown.Update(\"two\"); ClearOutput(wait: true); ClearOutput();");
        Assert.Equal(["display_data one", "display_data other", "update_display_data two", "clear_output", "clear_output"], cell.Outputs);
        string Id(int i) => cell.Published[i + 2].Content["transient"]!["display_id"]!.GetValue<string>();
        Assert.Equal(Id(0), Id(2));
        Assert.NotEqual(Id(0), Id(1));
        Assert.True(cell.Published[5].Content["wait"]!.GetValue<bool>());
        Assert.False(cell.Published[6].Content["wait"]!.GetValue<bool>());

        var later = _client.Execute("shown.Update(\"three\");");
        Assert.Equal(["update_display_data three"], later.Outputs);
        Assert.Equal(Id(0), later.Published[2].Content["transient"]!["display_id"]!.GetValue<string>());
    }

    [Fact]
    public void State_lasts_for_a_thousand_cells()
    {
        _client.Execute("var sum = 0;");
        for (var i = 1; i <= 1000; i++)
        {
            var cell = _client.Execute($"var n{i} = {i}; sum += n{i}; sum");
            Assert.Equal($"{i * (i + 1) / 2}", cell.Result);
        }
    }

    [Fact]
    public void Much_output_arrives_complete_while_control_and_heartbeat_answer()
    {
        using var heartbeat = new RequestSocket();
        heartbeat.Connect($"{kernel.Connection.Address}:{kernel.Connection.Heartbeat}");
        _client.Execute("var go = true;");
        var printing = _client.SendExecute("for (var i = 0; i < 100_000; i++) { Console.WriteLine(i); } Console.ReadLine(); for (var i = 0; i < 100_000; i++) { Console.WriteLine(i); }");
        var question = _client.Receive(Channel.Stdin);
        Assert.Equal("ok", _client.Ask(Channel.Control, "kernel_info_request").Status);
        heartbeat.SendFrame("beat");
        Assert.True(heartbeat.TryReceiveFrameString(TimeSpan.FromMinutes(5), out var beat));
        Assert.Equal("beat", beat);
        _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = "" }, question.Id);
        var cell = _client.Answer(Channel.Shell, printing);
        var lines = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{i}\n"));
        Assert.Equal(lines + lines, cell.Stream("stdout"));
        Assert.InRange(cell.Published.Count, 1, 2000);
    }

    [Fact]
    public void Two_clients_share_the_state_and_see_each_others_outputs()
    {
        using var second = new KernelClient(kernel.Connection);
        _client.Execute("var shared = 1;");
        var (first, other) = (_client.SendExecute("Console.WriteLine(\"first\"); shared += 1;"), second.SendExecute("Console.WriteLine(\"second\"); shared += 10;"));
        Assert.Equal(["stdout first"], _client.Answer(Channel.Shell, first).Outputs);
        Assert.Equal(["stdout second"], second.Answer(Channel.Shell, other).Outputs);
        Assert.Contains("stdout second", _client.Published(other).Select(m => m.Summary));
        Assert.Contains("stdout first", second.Published(first).Select(m => m.Summary));
        Assert.Equal("12", second.Execute("shared").Result);
    }

    [Fact]
    public void What_a_thread_prints_later_still_arrives()
    {
        _client.Execute("var later = new System.Threading.ManualResetEventSlim(); new System.Threading.Thread(() => { later.Wait(); Console.WriteLine(\"from behind\"); }).Start();");
        _client.SendExecute("later.Set();");
        Assert.NotNull(_client.PublishedUntil(m => m.Summary == "stdout from behind").ParentId);
    }

    [Fact]
    public void What_a_thread_prints_after_a_silent_cell_counts_to_the_cell_before()
    {
        var cell = _client.Execute("new System.Threading.Thread(() => { Console.OpenStandardInput().ReadByte(); Console.WriteLine(\"behind silence\"); }).Start();");
        _client.Execute("1", new() { ["silent"] = true });
        kernel.Process.StandardInput.Write('\n');
        kernel.Process.StandardInput.Flush();
        Assert.Equal(cell.Id, _client.PublishedUntil(m => m.Summary == "stdout behind silence").ParentId);
    }

    [Theory]
    [InlineData("new System.Threading.Thread(() => throw new Exception(\"stray\")).Start();")]
    [InlineData("async void Stray() { await Task.Yield(); throw new Exception(\"stray\"); }\nStray();")]
    [InlineData("System.Threading.ThreadPool.QueueUserWorkItem(_ => throw new Exception(\"stray\"));")]
    public void An_exception_that_nobody_catches_is_told_and_kills_nothing(string code)
    {
        _client.Execute("var survives = 1;");
        _client.SendExecute(code);
        _client.PublishedUntil(m => m.Summary.Contains("System.Exception: stray"));
        Assert.Equal("1", _client.Execute("survives").Result);
    }

    [Fact]
    public void Half_a_surrogate_pair_does_no_harm()
    {
        Assert.Equal("ok", _client.Execute("Console.WriteLine(\"\\ud83d\"); display(\"\\ud83d\"); \"\\ude42\"").Status);
        Assert.Equal("🙂", _client.Execute("\"\\ud83d\\ude42\"").Result);
    }

    [Fact]
    public void Json_that_cannot_be_sent_fails_who_shows_it_and_kills_nothing()
    {
        var cell = _client.Execute("\"[\\\"\\\\ud83d\\\"]\".DisplayAs(\"application/json\");");
        Assert.Equal("error", cell.Status);
        Assert.Single(cell.Outputs);
        _client.Execute("using Microsoft.DotNet.Interactive.Formatting; class Half { }\n"
            + "Formatter.SetPreferredMimeTypesFor(typeof(Half), \"application/json\"); Formatter.Register<Half>((h, w) => w.Write(\"[\\\"\\\\ud83d\\\"]\"), \"application/json\");");
        Assert.Equal("error", _client.Execute("new Half()").Status);
        Assert.Equal("error", _client.Execute("1", new() { ["user_expressions"] = new JsonObject { ["half"] = "new Half()" } }).Status);
        Assert.Equal("1", _client.Execute("1").Result);
    }
}
