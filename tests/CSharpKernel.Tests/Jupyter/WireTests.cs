using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

public sealed class WireTests(RunningKernel kernel) : IClassFixture<RunningKernel>
{
    /// <summary>How a connection of ZeroMQ begins.</summary>
    static readonly byte[] Greeting = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, .. "NULL"u8, .. new byte[48]];

    static readonly byte[] Ready = [4, 26, 5, .. "READY"u8, 11, .. "Socket-Type"u8, 0, 0, 0, 6, .. "DEALER"u8];

    readonly KernelClient _client = kernel.Client;

    /// <summary>Sends frames that must cause nothing; then the kernel must answer the next request, and nothing else.</summary>
    void Dropped(string reason, Action<List<byte[]>> harm)
    {
        var (_, frames) = _client.Write("execute_request", new() { ["code"] = "taken++;" });
        harm(frames);
        foreach (var channel in new[] { Channel.Shell, Channel.Control })
        {
            _client.Send(channel, frames);
        }

        Assert.Equal("ok", _client.Ask(Channel.Control, "kernel_info_request").Status);
        Assert.Equal("0", _client.Execute("taken").Result);
        Assert.Contains(reason, kernel.Log);
    }

    [Fact]
    public void A_message_that_is_not_signed_rightly_is_dropped()
    {
        _client.Execute("var taken = 0;");
        Dropped("the signature is wrong", f => f[1][0] = (byte)(f[1][0] == 'a' ? 'b' : 'a'));
        Dropped("the signature is wrong", f => f[1] = []);
        Dropped("the signature is wrong", f => f[1] = f[1][..^2]);
        Dropped("the signature is wrong", f => f[1] = [.. f[1], .. "00"u8]);
        Dropped("the signature is wrong", f => f[1] = Encoding.ASCII.GetBytes(new string('g', 64)));
        Dropped("the signature is wrong", f => f[5] = [.. f[5], (byte)' ']);
        Dropped("the signature is wrong", f => (f[2], f[5]) = (f[5], f[2]));
    }

    [Fact]
    public void A_message_that_comes_again_is_dropped()
    {
        var (id, frames) = _client.Write("execute_request", new() { ["code"] = "var once = 1;" });
        _client.Send(Channel.Shell, frames);
        Assert.Equal("ok", _client.Answer(Channel.Shell, id).Status);
        _client.Execute("var taken = 0; once = 2;");
        Dropped("it came before", f =>
        {
            f.Clear();
            f.AddRange(frames);
        });
        Dropped("it came before", f =>
        {
            f.Clear();
            f.AddRange(frames);
            f[1] = Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(f[1]).ToUpperInvariant());
        });
        Assert.Equal("2", _client.Execute("once").Result);
    }

    [Fact]
    public void A_malformed_message_is_dropped()
    {
        _client.Execute("var taken = 0;");
        void Signed(string reason, int part, string text) => Dropped(reason, f =>
        {
            var parts = f[2..];
            parts[part] = Encoding.Latin1.GetBytes(text);
            f.Clear();
            f.AddRange(_client.Sign(parts));
        });

        Dropped("a signature and four parts, found", f => f.RemoveAt(5));
        Dropped("without '<IDS|MSG>'", f => f.RemoveAt(0));
        Dropped("at most 256 frames", f => f.AddRange(Enumerable.Range(0, 300).Select(_ => Array.Empty<byte>())));
        Signed("header: expected a JSON object", 0, "[]");
        Signed("header: expected JSON, found something else", 0, "{");
        Signed("header, msg_id: expected a string", 0, "{\"msg_type\": \"execute_request\"}");
        Signed("header, msg_type: expected a string, found 3", 0, "{\"msg_id\": \"x\", \"msg_type\": 3}");
        Signed("parent_header: expected a JSON object", 1, "3");
        Signed("metadata: expected a JSON object", 2, "null");
        Signed("content: expected a JSON object", 3, "{\"code\": \"\u00ff\"}");
        Signed("content: expected JSON, found something else", 3, "{\"code\": \"1\", \"code\": \"2\"}");
        Signed("content: expected JSON, found something else", 3, new string('[', 100_000));
    }

    [Fact]
    public void An_oversized_message_is_dropped()
    {
        _client.Execute("var taken = 0;");
        Dropped("67108864 bytes", f => f[5] = new byte[WireProtocol.MaximumSize]);
    }

    [Fact]
    public async Task A_frame_far_too_large_closes_its_connection()
    {
        using var stranger = new TcpClient("127.0.0.1", kernel.Connection.Shell);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(length, (2L * WireProtocol.MaximumSize) + 1);
        stranger.Client.Send([.. Greeting, .. Ready, 2, .. length]);
        await stranger.GetStream().CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        Assert.Equal("1", _client.Execute("1").Result);
    }

    [Fact]
    public void Without_a_key_nothing_is_signed_and_a_message_is_still_taken_once()
    {
        using var open = new RunningKernel("");
        var (id, frames) = open.Client.Write("execute_request", new() { ["code"] = "1" });
        open.Client.Send(Channel.Shell, frames);
        Assert.Equal("1", open.Client.Answer(Channel.Shell, id).Result);
        open.Client.Send(Channel.Shell, frames);
        Assert.Equal("2", open.Client.Execute("2").Result);
        Assert.Contains("it came before", open.Log);
    }

    [Fact]
    public void Ten_thousand_malformed_messages_kill_nothing()
    {
        var random = new Random(7);
        string[] types = ["execute_request", "complete_request", "inspect_request", "is_complete_request", "history_request", "comm_info_request", "comm_open", "comm_msg",
            "comm_close", "kernel_info_request", "interrupt_request", "input_reply", "debug_request", "\ud83d", ""];
        string[] names = ["code", "cursor_pos", "detail_level", "hist_access_type", "n", "pattern", "session", "start", "stop", "output", "unique", "silent", "store_history",
            "user_expressions", "allow_stdin", "stop_on_error", "comm_id", "value"];
        string[] values = ["null", "true", "-1", "1e400", "2147483648", "\"\"", "\"x\"", "\"\\ud800\"", "\"range\"", "\"search\"", "\"tail\"", "[]", "{}", "{\"a\":1}", "[[[[]]]]"];
        T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
        string Content() => "{" + string.Join(",", Enumerable.Range(0, random.Next(6)).Select(_ => $"\"{Any(names)}\":{Any(values)}")) + "}";
        byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

        for (var i = 0; i < 10_000; i++)
        {
            var parts = new List<byte[]> { Bytes($$"""{"msg_id":"fuzz-{{i}}","msg_type":"{{Any(types)}}"}"""), Bytes("{}"), Bytes("{}"), Bytes(Content()) };
            if (random.Next(4) == 0)
            {
                parts[random.Next(4)] = Bytes(Any(values));
            }

            if (random.Next(8) == 0)
            {
                Flip(Any(parts));
            }

            var frames = _client.Sign(parts);
            switch (random.Next(6))
            {
                case 0:
                    Flip(Any(frames));
                    break;
                case 1:
                    frames.RemoveAt(random.Next(frames.Count));
                    break;
                case 2:
                    frames.Insert(random.Next(frames.Count + 1), new byte[random.Next(100)]);
                    break;
                case 3:
                    var short_ = random.Next(frames.Count);
                    frames[short_] = frames[short_][..random.Next(frames[short_].Length + 1)];
                    break;
            }

            _client.Send(Any([Channel.Shell, Channel.Control, Channel.Stdin]), frames);
        }

        Assert.Equal("ok", _client.Ask(Channel.Control, "kernel_info_request").Status);
        // In turn behind all of them: one that fails aborts the cells that have arrived by then.
        _client.Ask(Channel.Shell, "history_request", new() { ["hist_access_type"] = "tail", ["n"] = 1 });
        Assert.Equal("3", _client.Execute("1 + 2").Result);

        void Flip(byte[] bytes)
        {
            if (bytes.Length > 0)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }
        }
    }

    [Fact]
    public void Bytes_that_are_not_ZeroMQ_kill_nothing()
    {
        var random = new Random(11);
        var connection = kernel.Connection;
        byte[][] openings = [[], Greeting, [.. Greeting, .. Ready]];
        byte[][] bodies =
        [
            [.. "GET / HTTP/1.1\r\n\r\n"u8],
            [2, .. Enumerable.Repeat((byte)0xff, 8)],
            [2, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
            [2, 0x80, 0, 0, 0, 0, 0, 0, 0],
            [4, 0], [4, 1, 0xff], [0xff, 1, 0x61],
            .. Enumerable.Range(0, 50).Select(_ =>
            {
                var bytes = new byte[random.Next(1, 200)];
                random.NextBytes(bytes);
                return bytes;
            }),
        ];
        foreach (var port in new[] { connection.Shell, connection.Control, connection.Stdin, connection.Iopub, connection.Heartbeat })
        {
            foreach (var (opening, body) in openings.SelectMany(_ => bodies, (o, b) => (o, b)))
            {
                using var stranger = new TcpClient("127.0.0.1", port);
                stranger.Client.Send([.. opening, .. body]);
            }
        }

        Assert.Equal("ok", _client.Ask(Channel.Control, "kernel_info_request").Status);
        Assert.Equal("3", _client.Execute("1 + 2").Result);
    }
}
