using System.Text.Json.Nodes;
using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

public sealed class InputTests(RunningKernel kernel) : IClassFixture<RunningKernel>
{
    readonly KernelClient _client = kernel.Client;

    Execution Execute(string code, params string[] answers)
    {
        var cell = _client.SendExecute(code);
        foreach (var answer in answers)
        {
            Answer(_client.Receive(Channel.Stdin), answer);
        }

        return _client.Answer(Channel.Shell, cell);
    }

    void Answer(Message question, string answer) => _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = answer }, question.Id);

    [Theory]
    [InlineData("Console.ReadLine()", "", false)]
    [InlineData("input()", "", false)]
    [InlineData("input(\"Who? \")", "Who? ", false)]
    [InlineData("password(\"Secret: \")", "Secret: ", true)]
    [InlineData("await Task.Run(() => input())", "", false)]
    public void Cells_ask_the_front_end_that_runs_them(string code, string prompt, bool secret)
    {
        var cell = _client.SendExecute($"Console.Write(\"before\"); var answered = {code}; answered");
        var question = _client.Receive(Channel.Stdin);
        Assert.Equal("input_request", question.Type);
        Assert.Equal(cell, question.ParentId);
        Assert.Equal((prompt, secret), (question.Text("prompt"), question.Content["password"]!.GetValue<bool>()));
        // What was printed before the question is seen before it.
        _client.PublishedUntil(m => m.ParentId == cell && m.Summary == "stdout before");
        Answer(question, "ä🙂");
        Assert.Equal("ä🙂", _client.Answer(Channel.Shell, cell).Result);
    }

    [Fact]
    public void Characters_are_read_from_lines()
    {
        Assert.Equal("ab\nc|", Execute("var read = \"\"; for (var i = 0; i < 4; i++) { read += (char)Console.Read(); } read + \"|\" + Console.ReadLine()", "ab", "c").Result);
        Assert.Equal("xyz", Execute("Console.Read(); \"x\" + Console.ReadLine()", "-yz").Result);
    }

    [Theory]
    [InlineData("Console.ReadLine()")]
    [InlineData("input()")]
    [InlineData("password()")]
    public void Without_allow_stdin_asking_is_a_clear_error(string code)
    {
        var cell = _client.Execute(code, new() { ["allow_stdin"] = false });
        Assert.Contains("takes no input", cell.Reply.Text("evalue"));
        Assert.Single(cell.Published, m => m.Type == "error");
    }

    [Fact]
    public void A_front_end_that_does_not_listen_is_a_clear_error()
    {
        using var deaf = new KernelClient(kernel.Connection, stdin: false);
        Assert.Contains("does not listen", deaf.Execute("input()").Reply.Text("evalue"));
    }

    [Fact]
    public void Answers_of_others_and_of_before_are_not_taken()
    {
        using var other = new KernelClient(kernel.Connection);
        var interrupted = _client.SendExecute("input(\"first\")");
        var stale = _client.Receive(Channel.Stdin);
        _client.Send(Channel.Control, "interrupt_request", []);
        Assert.Equal("error", _client.Answer(Channel.Shell, interrupted).Status);

        var cell = _client.SendExecute("input(\"second\")");
        var question = _client.Receive(Channel.Stdin);
        other.Send(Channel.Stdin, "input_reply", new() { ["value"] = "of another" }, question.Id);
        Assert.Equal("ok", other.Ask(Channel.Control, "kernel_info_request").Status);
        Answer(stale, "of before");
        _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = new JsonArray() }, question.Id);
        Answer(question, "right");
        Assert.Equal("right", _client.Answer(Channel.Shell, cell).Result);
    }

    [Fact]
    public void A_question_ends_with_its_cell()
    {
        var cell = _client.SendExecute("var left = Task.Run(() => input());\nConsole.OpenStandardInput().ReadByte();");
        _client.Receive(Channel.Stdin);
        kernel.Process.StandardInput.Write('\n');
        kernel.Process.StandardInput.Flush();
        Assert.Equal("ok", _client.Answer(Channel.Shell, cell).Status);
        Assert.Contains("has ended", _client.Execute("await left").Reply.Text("evalue"));
        Assert.Equal("here", Execute("input()", "here").Result);
    }

    [Fact]
    public void Between_cells_nobody_is_asked()
    {
        _client.Execute("_ = Task.Run(() => { Console.OpenStandardInput().ReadByte(); try { input(); } catch (Exception e) { Console.WriteLine(e.Message); } });");
        kernel.Process.StandardInput.Write('\n');
        kernel.Process.StandardInput.Flush();
        _client.PublishedUntil(m => m.Type == "stream" && m.Text("text").Contains("has ended"));
    }

    [Fact]
    public void Front_ends_need_not_name_the_question()
    {
        var cell = _client.SendExecute("input()");
        _client.Receive(Channel.Stdin);
        _client.Send(Channel.Stdin, "input_reply", new() { ["value"] = "here" });
        Assert.Equal("here", _client.Answer(Channel.Shell, cell).Result);
    }
}
