using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;

namespace CSharpKernel.Jupyter;

/// <summary>The kernel's sockets. One thread owns them, another the heartbeat; messages to send pass through a queue.</summary>
sealed class Channels : IDisposable
{
    /// <summary>How long messages may still be on their way when the kernel ends.</summary>
    static readonly TimeSpan Linger = TimeSpan.FromSeconds(2);

    readonly WireProtocol _wire;
    readonly Action<Channel, Request> _received;
    readonly Action<string> _log;
    readonly Dictionary<Channel, NetMQSocket> _sockets;
    readonly RouterSocket _heartbeat = new();
    readonly NetMQQueue<Action> _queue = new();
    readonly NetMQPoller _poller;
    readonly NetMQPoller _heart;

    /// <summary>Binds to the addresses that the file names, and to no others.</summary>
    /// <param name="connection">The file.</param>
    /// <param name="received">Takes requests, on the thread of the sockets.</param>
    /// <param name="log">Takes what is wrong with messages that are dropped.</param>
    /// <exception cref="IOException">An address cannot be bound to.</exception>
    public Channels(ConnectionFile connection, Action<Channel, Request> received, Action<string> log)
    {
        _wire = new WireProtocol(connection.Key);
        _received = received;
        _log = log;
        _sockets = new()
        {
            [Channel.Shell] = Bind(new RouterSocket(), connection.Shell),
            [Channel.Control] = Bind(new RouterSocket(), connection.Control),
            [Channel.Stdin] = Bind(new RouterSocket(), connection.Stdin),
            [Channel.Iopub] = Bind(new PublisherSocket(), connection.Iopub),
        };
        // Only so is it known that nobody is there to answer.
        _sockets[Channel.Stdin].Options.RouterMandatory = true;
        Bind(_heartbeat, connection.Heartbeat);

        _poller = new NetMQPoller { _queue };
        _queue.ReceiveReady += (_, _) => SendQueued();
        foreach (var channel in new[] { Channel.Control, Channel.Shell, Channel.Stdin })
        {
            _sockets[channel].ReceiveReady += (_, _) => Receive(channel);
            _poller.Add(_sockets[channel]);
        }

        _heart = new NetMQPoller { _heartbeat };
        _heartbeat.ReceiveReady += (_, _) =>
        {
            var beat = new NetMQMessage();
            while (_heartbeat.TryReceiveMultipartMessage(ref beat))
            {
                _heartbeat.TrySendMultipartMessage(beat);
            }
        };

        T Bind<T>(T socket, int port)
            where T : NetMQSocket
        {
            socket.Options.Linger = Linger;
            // None of a client's messages is dropped because it reads slowly.
            socket.Options.SendHighWatermark = 0;
            socket.Options.IPv4Only = !connection.Address.Contains('[');
            // Far beyond what is taken, a connection is closed before its message fills the memory.
            socket.Options.MaxMsgSize = 2L * WireProtocol.MaximumSize;
            try
            {
                socket.Bind($"{connection.Address}:{port}");
            }
            catch (NetMQException e)
            {
                throw new IOException($"{connection.Address}:{port} cannot be listened on: {e.GetType().Name} {e.ErrorCode}.", e);
            }

            return socket;
        }
    }

    public void Start()
    {
        _heart.RunAsync("heartbeat");
        _poller.RunAsync("sockets");
    }

    /// <summary>Sends a message when those before it are sent.</summary>
    /// <param name="channel">Where; on iopub to all clients, else to the one that sent <paramref name="parent"/>.</param>
    /// <param name="type">Its <c>msg_type</c>.</param>
    /// <param name="parent">What it answers or tells about.</param>
    /// <param name="content">Its content.</param>
    /// <param name="unreachable">Told if nobody listens; on stdin alone.</param>
    /// <returns>Its <c>msg_id</c>.</returns>
    /// <exception cref="InvalidOperationException">The content holds JSON that is not Unicode.</exception>
    public string Send(Channel channel, string type, Request? parent, JsonObject content, Action? unreachable = null)
    {
        var id = _wire.NewId();
        // Here and not on the thread of the sockets, so that what cannot be written fails whoever sends it.
        var frames = _wire.Write(id, type, parent?.Header ?? "{}"u8.ToArray(), content);
        _queue.Enqueue(() =>
        {
            var message = new NetMQMessage([.. channel == Channel.Iopub ? [Encoding.UTF8.GetBytes(type)] : parent!.Identities, .. frames]);
            try
            {
                if (!_sockets[channel].TrySendMultipartMessage(message))
                {
                    _log($"{type} could not be sent");
                }
            }
            catch (HostUnreachableException)
            {
                unreachable?.Invoke();
            }
        });
        return id;
    }

    /// <summary>Takes all requests that have arrived on shell, and then returns.</summary>
    public void ReceiveArrived() => InTurn(() => Receive(Channel.Shell));

    /// <summary>Waits until what is queued is sent and an action is done on the thread of the sockets.</summary>
    void InTurn(Action action)
    {
        using var done = new ManualResetEventSlim();
        _queue.Enqueue(() =>
        {
            action();
            done.Set();
        });
        done.Wait();
    }

    /// <summary>Sends what is queued, and closes.</summary>
    public void Dispose()
    {
        // The first lets that thread end what it serves, whose replies are then queued: the second sends them.
        InTurn(() => { });
        InTurn(() => { });
        _poller.Dispose();
        _heart.Dispose();
        foreach (var socket in _sockets.Values)
        {
            socket.Dispose();
        }

        _heartbeat.Dispose();
        _queue.Dispose();
        NetMQConfig.Cleanup(block: true);
    }

    void SendQueued()
    {
        // Not all at once, so that requests are received between them.
        for (var i = 0; i < 100 && _queue.TryDequeue(out var send, TimeSpan.Zero); i++)
        {
            send();
        }
    }

    void Receive(Channel channel)
    {
        var frames = new List<byte[]>();
        while (_sockets[channel].TryReceiveMultipartBytes(ref frames))
        {
            try
            {
                _received(channel, _wire.Read(frames));
            }
            catch (Exception e)
            {
                _log($"A message on {channel.ToString().ToLowerInvariant()} is dropped: {e.Message}");
            }
        }
    }
}
