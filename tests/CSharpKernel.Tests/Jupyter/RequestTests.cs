using System.Text.Json.Nodes;
using CSharpKernel.Headless;
using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

public sealed class RequestTests(RunningKernel kernel) : IClassFixture<RunningKernel>
{
    readonly KernelClient _client = kernel.Client;

    [Theory]
    [InlineData("Shell")]
    [InlineData("Control")]
    public void Kernel_info_tells_protocol_and_language_on_both_channels(string channel)
    {
        var info = _client.Ask(Enum.Parse<Channel>(channel), "kernel_info_request");
        Assert.Equal("kernel_info_reply", info.Reply.Type);
        Assert.Equal(["busy", "idle"], info.Published.Select(m => m.Summary));
        Assert.Equal("5.3", info.Reply.Text("protocol_version"));
        var language = info.Reply.Content["language_info"]!;
        Assert.Equal(("csharp", ".cs", "text/x-csharp"), (language["name"]!.ToString(), language["file_extension"]!.ToString(), language["mimetype"]!.ToString()));
    }

    [Fact]
    public void Comms_are_closed_as_they_are_opened()
    {
        var open = _client.Send(Channel.Shell, "comm_open", new() { ["comm_id"] = "c1", ["target_name"] = "nobody", ["data"] = new JsonObject() });
        var told = _client.Published(open);
        Assert.Equal(["busy", "comm_close", "idle"], told.Select(m => m.Summary));
        Assert.Equal("c1", told[1].Text("comm_id"));
        foreach (var type in new[] { "comm_msg", "comm_close" })
        {
            Assert.Equal(["busy", "idle"], _client.Published(_client.Send(Channel.Shell, type, new() { ["comm_id"] = "c1", ["data"] = new JsonObject() })).Select(m => m.Summary));
        }

        Assert.Equal("{}", _client.Ask(Channel.Shell, "comm_info_request").Reply.Content["comms"]!.ToJsonString());
    }

    [Fact]
    public void Variables_are_listed_for_the_panel_while_a_cell_runs_and_nothing_stops()
    {
        JsonNode Debug(string command) => _client.Ask(Channel.Control, "debug_request", new() { ["type"] = "request", ["seq"] = 7, ["command"] = command }).Reply.Content;
        Assert.False(Debug("debugInfo")["body"]!["isStarted"]!.GetValue<bool>());
        foreach (var command in new[] { "initialize", "attach", "setBreakpoints", "configurationDone" })
        {
            Assert.True(Debug(command)["success"]!.GetValue<bool>(), command);
        }

        Assert.True(Debug("debugInfo")["body"]!["isStarted"]!.GetValue<bool>());
        _client.Execute("var listed = new double[2, 3];");
        var cell = _client.SendExecute("Console.ReadLine();");
        var question = _client.Receive(Channel.Stdin);
        var found = Debug("inspectVariables");
        Assert.Equal(("response", 7), (found["type"]!.GetValue<string>(), found["request_seq"]!.GetValue<int>()));
        var variable = Assert.Single(found["body"]!["variables"]!.AsArray(), v => v!["name"]!.GetValue<string>() == "listed")!;
        Assert.Equal(("Double[,]", "Double[2, 3]"), (variable["type"]!.GetValue<string>(), variable["value"]!.GetValue<string>()));
        _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = "" }, question.Id);
        Assert.Equal("ok", _client.Answer(Channel.Shell, cell).Status);
        Assert.False(Debug("stepIn")["success"]!.GetValue<bool>());
        Assert.True(Debug("disconnect")["success"]!.GetValue<bool>());
        Assert.False(Debug("debugInfo")["body"]!["isStarted"]!.GetValue<bool>());
    }

    [Fact]
    public void History_gives_tail_range_and_search()
    {
        using var own = new RunningKernel("");
        var client = own.Client;
        client.Execute("var first = 1; first");
        client.Execute("\"hidden\"", new() { ["store_history"] = false });
        client.Execute("var second = 2;");
        client.Execute("var second = 2;");
        client.Execute("\"*\"");
        string History(JsonObject content) => client.Ask(Channel.Shell, "history_request", content).Reply.Content["history"]!.ToJsonString(KernelProcess.Json);

        Assert.Equal("""[[1,3,"var second = 2;"],[1,4,"\"*\""]]""", History(new() { ["hist_access_type"] = "tail", ["n"] = 2, ["output"] = false, ["raw"] = true }));
        Assert.Equal("""[[1,1,["var first = 1; first","1"]],[1,2,["var second = 2;",null]]]""", History(new() { ["hist_access_type"] = "range", ["session"] = 0, ["start"] = 1, ["stop"] = 3, ["output"] = true }));
        Assert.Equal("[]", History(new() { ["hist_access_type"] = "range", ["session"] = 7, ["start"] = 1, ["stop"] = 3 }));
        Assert.Equal("""[[1,2,"var second = 2;"],[1,3,"var second = 2;"]]""", History(new() { ["hist_access_type"] = "search", ["pattern"] = "*sec?nd*", ["n"] = 5 }));
        Assert.Equal("""[[1,3,"var second = 2;"]]""", History(new() { ["hist_access_type"] = "search", ["pattern"] = "*second*", ["unique"] = true }));
        Assert.Equal("error", client.Ask(Channel.Shell, "history_request", new() { ["hist_access_type"] = "other" }).Status);
    }

    [Fact]
    public void Completion_counts_code_points()
    {
        _client.Execute("var smile = 1;");
        const string Code = "var s = \"🙂🙂\"; smil";
        var reply = _client.Ask(Channel.Shell, "complete_request", new() { ["code"] = Code, ["cursor_pos"] = Code.Length - 2 }).Reply;
        Assert.Equal("ok", reply.Text("status"));
        Assert.Contains("smile", reply.Content["matches"]!.AsArray().Select(m => m!.ToString()));
        Assert.Equal((Code.Length - 2 - 4, Code.Length - 2), (reply.Content["cursor_start"]!.GetValue<int>(), reply.Content["cursor_end"]!.GetValue<int>()));
    }

    [Fact]
    public void Inspection_finds_signatures_and_says_where_there_is_none()
    {
        var found = _client.Ask(Channel.Shell, "inspect_request", new() { ["code"] = "Math.Max(1, 2)", ["cursor_pos"] = 7, ["detail_level"] = 0 }).Reply;
        Assert.True(found.Content["found"]!.GetValue<bool>());
        Assert.Contains("Max", found.Content["data"]!["text/plain"]!.ToString());
        var nothing = _client.Ask(Channel.Shell, "inspect_request", new() { ["code"] = "1 + 1", ["cursor_pos"] = 2, ["detail_level"] = 0 }).Reply;
        Assert.Equal(("ok", false), (nothing.Text("status"), nothing.Content["found"]!.GetValue<bool>()));
    }

    [Theory]
    [InlineData("1 + 1", "complete")]
    [InlineData("for (;;) {", "incomplete")]
    public void Completeness_is_told(string code, string status) =>
        Assert.Equal(status, _client.Ask(Channel.Shell, "is_complete_request", new() { ["code"] = code }).Status);

    [Fact]
    public void A_question_that_comes_with_a_cell_does_not_wait_for_it()
    {
        // Where the cell is already running when the question comes, nothing is seen: so many times.
        for (var i = 0; i < 20; i++)
        {
            var asking = _client.SendExecute("Console.ReadLine()");
            var id = _client.Send(Channel.Shell, "is_complete_request", new() { ["code"] = "1" });
            Assert.Equal(id, _client.Receive(Channel.Shell).ParentId);
            _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = "" }, _client.Receive(Channel.Stdin).Id);
            Assert.Equal("ok", _client.Answer(Channel.Shell, asking).Status);
        }
    }

    [Theory]
    [InlineData("execute_request")]
    [InlineData("complete_request")]
    [InlineData("inspect_request")]
    [InlineData("is_complete_request")]
    [InlineData("history_request")]
    public void A_request_without_what_it_needs_is_answered_with_an_error(string type)
    {
        var answer = _client.Ask(Channel.Shell, type);
        Assert.Equal(type.Replace("request", "reply"), answer.Reply.Type);
        Assert.Equal("error", answer.Status);
        Assert.Contains("expected", answer.Reply.Text("evalue"));
        Assert.Equal(["busy", "idle"], answer.Published.Select(m => m.Summary));
    }

    [Fact]
    public void Unknown_types_are_ignored()
    {
        var unknown = _client.Send(Channel.Shell, "nobody_knows_request", []);
        Assert.Equal("1", _client.Execute("1").Result);
        Assert.Equal("ok", _client.Ask(Channel.Control, "interrupt_request").Status);
        _client.Send(Channel.Control, "execute_request", new() { ["code"] = "2" });
        Assert.NotEqual(unknown, _client.Ask(Channel.Control, "kernel_info_request").Published[0].ParentId);
        Assert.Contains("nobody_knows_request on shell is not known", kernel.Log);
    }
}
