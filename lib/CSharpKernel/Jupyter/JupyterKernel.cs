using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace CSharpKernel.Jupyter;

/// <summary>Serves a notebook's engine to Jupyter's front ends. Requests on shell run one after another on the thread of <see cref="Run"/>.</summary>
sealed class JupyterKernel : IDisposable
{
    readonly BlockingCollection<Request> _requests = [];
    readonly Action<string> _log;
    readonly Channels _channels;
    readonly CSharpEngine _engine;
    readonly Lock _lock = new();
    CancellationTokenSource? _running;
    Request? _cell;
    bool _silent;
    Output.Error? _error;
    int _count;

    /// <param name="connection">Where to listen.</param>
    /// <param name="log">Takes what goes wrong beside the protocol.</param>
    public JupyterKernel(ConnectionFile connection, Action<string> log)
    {
        _log = log;
        _channels = new Channels(connection, Receive, log);
        _engine = new CSharpEngine(Directory.GetCurrentDirectory(), Publish, TimeSpan.FromMilliseconds(50));
    }

    /// <summary>Serves until a client shuts the kernel down.</summary>
    public void Run()
    {
        _channels.Start();
        _channels.Send(Channel.Iopub, "status", null, new() { ["execution_state"] = "starting" });
        foreach (var request in _requests.GetConsumingEnumerable())
        {
            Handle(Channel.Shell, request);
        }
    }

    /// <summary>Interrupts the cell that runs, if one does.</summary>
    public void Interrupt()
    {
        lock (_lock)
        {
            _running?.Cancel();
        }
    }

    public void Dispose()
    {
        _channels.Dispose();
        _engine.Dispose();
        _requests.Dispose();
    }

    /// <summary>Takes requests on the thread of the sockets: what must not wait for a cell is answered there.</summary>
    void Receive(Channel channel, Request request)
    {
        switch (channel)
        {
            case Channel.Control:
                Handle(channel, request);
                break;
            case Channel.Shell:
                _requests.Add(request);
                break;
        }
    }

    void Handle(Channel channel, Request request)
    {
        Func<Request, JsonObject>? answer = (channel, request.Type) switch
        {
            (_, "kernel_info_request") => KernelInfo,
            (_, "shutdown_request") => Shutdown,
            (Channel.Control, "interrupt_request") => InterruptRunning,
            (Channel.Shell, "execute_request") => Execute,
            _ => null,
        };
        if (answer is null)
        {
            _log($"{request.Type} on {channel.ToString().ToLowerInvariant()} is not known and ignored.");
            return;
        }

        Status(request, "busy");
        JsonObject reply;
        try
        {
            reply = answer(request);
        }
        catch (Exception e)
        {
            _log($"{request.Type}: {e}");
            reply = Failure(new(e.GetType().Name, e.Message, [e.Message], null));
        }

        _channels.Send(channel, request.Type.Replace("_request", "_reply", StringComparison.Ordinal), request, reply);
        Status(request, "idle");
    }

    void Status(Request request, string state) => _channels.Send(Channel.Iopub, "status", request, new() { ["execution_state"] = state });

    static JsonObject KernelInfo(Request request)
    {
        var version = typeof(JupyterKernel).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        return new()
        {
            ["status"] = "ok",
            ["protocol_version"] = WireProtocol.Version,
            ["implementation"] = "CSharpKernel",
            ["implementation_version"] = version,
            ["language_info"] = new JsonObject
            {
                ["name"] = "C#",
                ["version"] = Submissions.LanguageVersion,
                ["mimetype"] = "text/x-csharp",
                ["file_extension"] = ".cs",
                ["pygments_lexer"] = "csharp",
                ["codemirror_mode"] = "text/x-csharp",
            },
            ["banner"] = $"C# {Submissions.LanguageVersion} on {RuntimeInformation.FrameworkDescription}",
            ["help_links"] = new JsonArray(),
        };
    }

    JsonObject Shutdown(Request request)
    {
        var restart = request.Flag("restart", false);
        _channels.Send(Channel.Iopub, "shutdown_reply", request, new() { ["status"] = "ok", ["restart"] = restart });
        Interrupt();
        _requests.CompleteAdding();
        return new() { ["status"] = "ok", ["restart"] = restart };
    }

    JsonObject InterruptRunning(Request request)
    {
        Interrupt();
        return new() { ["status"] = "ok" };
    }

    JsonObject Execute(Request request)
    {
        var code = request.Text("code");
        _silent = request.Flag("silent", false);
        if (!_silent && request.Flag("store_history", true))
        {
            _count++;
        }

        _cell = request;
        _error = null;
        if (!_silent)
        {
            _channels.Send(Channel.Iopub, "execute_input", request, new() { ["code"] = code, ["execution_count"] = _count });
        }

        using var running = new CancellationTokenSource();
        lock (_lock)
        {
            _running = running;
        }

        try
        {
            _engine.Execute(code, $"cell {_count}", running.Token).GetAwaiter().GetResult();
        }
        finally
        {
            lock (_lock)
            {
                _running = null;
            }
        }

        if (_error is not { } error)
        {
            return new() { ["status"] = "ok", ["execution_count"] = _count, ["user_expressions"] = new JsonObject(), ["payload"] = new JsonArray() };
        }

        var reply = Failure(error);
        reply["execution_count"] = _count;
        return reply;
    }

    void Publish(Output output)
    {
        _error = output as Output.Error ?? _error;
        if (_silent)
        {
            return;
        }

        var (type, content) = output switch
        {
            Output.Stream stream => ("stream", new JsonObject { ["name"] = stream.Name, ["text"] = stream.Text }),
            Output.Display display => ("display_data", Display(display.Data, display.Id)),
            Output.Update update => ("update_display_data", Display(update.Data, update.Id)),
            Output.Result result => ("execute_result", new JsonObject { ["data"] = result.Data, ["metadata"] = new JsonObject(), ["execution_count"] = _count }),
            Output.Error error => ("error", Failure(error)),
            Output.Clear clear => ("clear_output", new JsonObject { ["wait"] = clear.Wait }),
            _ => throw new NotSupportedException(output.GetType().Name),
        };
        _channels.Send(Channel.Iopub, type, _cell, content);

        JsonObject Display(JsonObject data, string id) => new()
        {
            ["data"] = data,
            ["metadata"] = new JsonObject(),
            ["transient"] = new JsonObject { ["display_id"] = id },
        };
    }

    static JsonObject Failure(Output.Error error) => new()
    {
        ["status"] = "error",
        ["ename"] = error.Name,
        ["evalue"] = error.Message,
        ["traceback"] = new JsonArray([.. error.Traceback.Select(l => JsonValue.Create(l))]),
    };
}
