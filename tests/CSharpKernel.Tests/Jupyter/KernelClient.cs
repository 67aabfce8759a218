using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Jupyter;
using NetMQ;
using NetMQ.Sockets;

namespace CSharpKernel.Tests.Jupyter;

/// <summary>A front end: its sockets, and what they say. Used by one thread.</summary>
sealed class KernelClient : IDisposable
{
    /// <summary>Only what hangs takes so long.</summary>
    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    readonly ConnectionFile _connection;
    readonly Dictionary<Channel, NetMQSocket> _sockets;
    readonly string _session = Guid.NewGuid().ToString("N");
    readonly List<Message> _published = [];
    readonly Func<string>? _log;
    int _count;

    public KernelClient(ConnectionFile connection, bool stdin = true, Func<string>? log = null)
    {
        _log = log;
        _connection = connection;
        _sockets = new()
        {
            [Channel.Shell] = Dealer(connection.Shell),
            [Channel.Control] = Dealer(connection.Control),
            [Channel.Iopub] = new SubscriberSocket(),
        };
        if (stdin)
        {
            _sockets[Channel.Stdin] = Dealer(connection.Stdin);
        }

        var iopub = (SubscriberSocket)_sockets[Channel.Iopub];
        iopub.Options.ReceiveHighWatermark = 0;
        iopub.SubscribeToAnyTopic();
        iopub.Connect($"{connection.Address}:{connection.Iopub}");

        // A subscription takes its time, and nobody tells when it is there.
        do
        {
            Send(Channel.Shell, "kernel_info_request", []);
            Receive(Channel.Shell);
        }
        while (TryReceive(Channel.Iopub, TimeSpan.FromMilliseconds(100)) is null);
        Ask(Channel.Shell, "kernel_info_request");

        DealerSocket Dealer(int port)
        {
            var socket = new DealerSocket();
            socket.Options.Identity = Encoding.ASCII.GetBytes(_session);
            socket.Options.Linger = TimeSpan.Zero;
            socket.Connect($"{connection.Address}:{port}");
            return socket;
        }
    }

    /// <summary>Sends a message.</summary>
    /// <returns>Its <c>msg_id</c>.</returns>
    public string Send(Channel channel, string type, JsonObject content, string? parentId = null)
    {
        var (id, frames) = Write(type, content, parentId);
        Send(channel, frames);
        return id;
    }

    public void Send(Channel channel, IEnumerable<byte[]> frames) => _sockets[channel].SendMultipartBytes(frames);

    /// <summary>The frames of a message, signed.</summary>
    public (string Id, List<byte[]> Frames) Write(string type, JsonObject content, string? parentId = null)
    {
        var id = $"{_session}-{++_count}";
        var header = new JsonObject
        {
            ["msg_id"] = id,
            ["msg_type"] = type,
            ["session"] = _session,
            ["username"] = "test",
            ["date"] = DateTime.UtcNow.ToString("O"),
            ["version"] = "5.3",
        };
        var parent = parentId is null ? [] : new JsonObject { ["msg_id"] = parentId };
        return (id, Sign([.. new[] { header, parent, [], content }.Select(p => Encoding.UTF8.GetBytes(p.ToJsonString()))]));
    }

    /// <summary>Puts the delimiter and the signature before the parts of a message.</summary>
    public List<byte[]> Sign(IReadOnlyList<byte[]> parts) => ["<IDS|MSG>"u8.ToArray(), Signature(parts), .. parts];

    byte[] Signature(IEnumerable<byte[]> parts) =>
        _connection.Key.Length == 0 ? [] : Encoding.ASCII.GetBytes(Convert.ToHexStringLower(HMACSHA256.HashData(_connection.Key, parts.SelectMany(p => p).ToArray())));

    /// <summary>The next message of a channel; fails where none comes.</summary>
    public Message Receive(Channel channel)
    {
        var message = TryReceive(channel, Deadline);
        Assert.True(message is not null, $"Nothing came on {channel}. {_log?.Invoke()}");
        return message;
    }

    public Message? TryReceive(Channel channel, TimeSpan timeout)
    {
        var frames = new List<byte[]>();
        if (!_sockets[channel].TryReceiveMultipartBytes(timeout, ref frames))
        {
            return null;
        }

        var delimiter = frames.FindIndex(f => f.AsSpan().SequenceEqual("<IDS|MSG>"u8));
        Assert.Equal(delimiter + 6, frames.Count);
        Assert.Equal(Signature(frames.Skip(delimiter + 2)), frames[delimiter + 1]);
        JsonObject Part(int i) => JsonNode.Parse(frames[delimiter + i])!.AsObject();
        var header = Part(2);
        Assert.Equal("5.3", header["version"]!.GetValue<string>());
        return new(header["msg_type"]!.GetValue<string>(), header["msg_id"]!.GetValue<string>(), Part(3)["msg_id"]?.GetValue<string>(), Part(5));
    }

    /// <summary>Sends a request and receives all that it causes; what other requests cause meanwhile is dropped.</summary>
    public Execution Ask(Channel channel, string type, JsonObject? content = null) => Answer(channel, Send(channel, type, content ?? []));

    /// <summary>Runs a cell.</summary>
    public Execution Execute(string code, JsonObject? options = null) => Answer(Channel.Shell, SendExecute(code, options));

    public string SendExecute(string code, JsonObject? options = null)
    {
        var content = new JsonObject
        {
            ["code"] = code,
            ["silent"] = false,
            ["store_history"] = true,
            ["user_expressions"] = new JsonObject(),
            ["allow_stdin"] = true,
            ["stop_on_error"] = true,
        };
        foreach (var (name, value) in options ?? [])
        {
            content[name] = value?.DeepClone();
        }

        return Send(Channel.Shell, "execute_request", content);
    }

    /// <summary>Receives all that a request causes.</summary>
    public Execution Answer(Channel channel, string id)
    {
        Message reply;
        do
        {
            reply = Receive(channel);
        }
        while (reply.ParentId != id);
        return new(id, reply, Published(id));
    }

    /// <summary>Receives what is published about a request, up to its idle.</summary>
    public IReadOnlyList<Message> Published(string id)
    {
        PublishedUntil(m => m.ParentId == id && m.Summary == "idle");
        var about = _published.Where(m => m.ParentId == id).ToList();
        _published.RemoveAll(m => m.ParentId == id);
        return about;
    }

    /// <summary>Receives on iopub until a message comes; it and those before it are kept for <see cref="Published"/>.</summary>
    public Message PublishedUntil(Predicate<Message> wanted)
    {
        if (_published.Find(wanted) is { } known)
        {
            return known;
        }

        Message message;
        do
        {
            message = Receive(Channel.Iopub);
            _published.Add(message);
        }
        while (!wanted(message));
        return message;
    }

    public void Dispose()
    {
        foreach (var socket in _sockets.Values)
        {
            socket.Dispose();
        }
    }
}
