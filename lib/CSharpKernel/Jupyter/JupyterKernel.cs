using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using CSharpKernel.Assistance;
using CSharpKernel.Cells;
using CSharpKernel.Documents;
using CSharpKernel.Outputs;

namespace CSharpKernel.Jupyter;

/// <summary>
/// Serves a notebook's engine to Jupyter's front ends. Requests on shell are served one after another on the thread of
/// <see cref="Run"/>; those that need no turn are served on a second one while a cell runs or waits, and those on control at once.
/// </summary>
sealed class JupyterKernel : IDisposable
{
    /// <summary>How long printed text may wait to be joined with what follows.</summary>
    static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a cell that runs may take to end when the kernel is shut down.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    readonly BlockingCollection<Request> _requests = [];
    readonly BlockingCollection<Request> _questions = [];
    readonly Dictionary<(Channel, string), Func<Request, JsonObject?>> _answers;
    readonly ExecutionHistory _history = new();
    readonly string _session = Guid.NewGuid().ToString("N");
    readonly Action<string> _log;
    readonly Channels _channels;
    readonly CSharpEngine _engine;
    readonly Lock _lock = new();
    readonly object _asking = new();
    CancellationTokenSource? _running;
    Request? _served;
    Request? _cell;
    (string Id, Request Cell, TaskCompletionSource<string> Answer)? _asked;
    Output.Error? _error;
    Task? _warmUp;
    volatile bool _shutDown;
    bool _silent;
    bool _stored;
    volatile int _unansweredCells;
    int _count;
    int _toAbort;

    /// <param name="connection">Where to listen.</param>
    /// <param name="log">Takes what goes wrong beside the protocol.</param>
    public JupyterKernel(ConnectionFile connection, Action<string> log)
    {
        _log = log;
        _answers = new()
        {
            [(Channel.Shell, "kernel_info_request")] = KernelInfo,
            [(Channel.Shell, "execute_request")] = Execute,
            [(Channel.Shell, "complete_request")] = Complete,
            [(Channel.Shell, "inspect_request")] = Inspect,
            [(Channel.Shell, "is_complete_request")] = IsComplete,
            [(Channel.Shell, "history_request")] = r => new() { ["status"] = "ok", ["history"] = _history.Answer(r) },
            [(Channel.Shell, "comm_info_request")] = _ => new() { ["status"] = "ok", ["comms"] = new JsonObject() },
            [(Channel.Shell, "comm_open")] = CloseComm,
            [(Channel.Shell, "comm_msg")] = _ => null,
            [(Channel.Shell, "comm_close")] = _ => null,
            [(Channel.Shell, "shutdown_request")] = ShutDown,
            [(Channel.Control, "kernel_info_request")] = KernelInfo,
            [(Channel.Control, "interrupt_request")] = _ => Interrupt(),
            [(Channel.Control, "shutdown_request")] = ShutDown,
            [(Channel.Control, "debug_request")] = new VariablesPanel(() => _engine!.Variables).Answer,
        };
        _channels = new Channels(connection, Receive, log);
        _engine = new CSharpEngine(Directory.GetCurrentDirectory(), Publish, Delay) { Input = Ask };
    }

    /// <summary>Serves until a client shuts the kernel down.</summary>
    public void Run()
    {
        _channels.Send(Channel.Iopub, "status", null, new() { ["execution_state"] = "starting" });
        _channels.Start();
        // While the front end connects.
        new Thread(_engine.WarmUp) { IsBackground = true }.Start();
        new Thread(() =>
        {
            foreach (var question in _questions.GetConsumingEnumerable())
            {
                Serve(Channel.Shell, question);
            }
        })
        { IsBackground = true }.Start();

        foreach (var request in _requests.GetConsumingEnumerable().TakeWhile(_ => !_shutDown))
        {
            var abort = _toAbort > 0 && --_toAbort >= 0 && request.Type == "execute_request";
            Serve(Channel.Shell, request, abort ? _ => new() { ["status"] = "aborted" } : null);
            if (request.Type == "execute_request")
            {
                Interlocked.Decrement(ref _unansweredCells);
            }
        }
    }

    /// <summary>Interrupts the cell that runs, if one does.</summary>
    public JsonObject Interrupt()
    {
        lock (_lock)
        {
            _running?.Cancel();
            _asked?.Answer.TrySetException(new CellInterruptedException());
        }

        return new() { ["status"] = "ok" };
    }

    public void Dispose()
    {
        _engine.Dispose();
        _channels.Dispose();
    }

    /// <summary>Takes requests on the thread of the sockets.</summary>
    void Receive(Channel channel, Request request)
    {
        switch (channel)
        {
            case Channel.Control:
                Serve(channel, request);
                break;
            case Channel.Stdin when request.Type == "input_reply":
                TakeInput(request);
                break;
            case Channel.Shell:
                var needsNoTurn = request.Type is "kernel_info_request" or "comm_info_request" or "complete_request" or "inspect_request" or "is_complete_request";
                if (request.Type == "execute_request")
                {
                    Interlocked.Increment(ref _unansweredCells);
                }

                (needsNoTurn && _unansweredCells > 0 ? _questions : _requests).Add(request);
                break;
            default:
                Ignore(channel, request);
                break;
        }
    }

    void Ignore(Channel channel, Request request) => _log($"{request.Type} on {channel.ToString().ToLowerInvariant()} is not known and ignored.");

    void Serve(Channel channel, Request request, Func<Request, JsonObject?>? answer = null)
    {
        if (answer is null && !_answers.TryGetValue((channel, request.Type), out answer))
        {
            Ignore(channel, request);
            return;
        }

        Status("busy");
        try
        {
            Reply(answer(request));
        }
        catch (Exception e)
        {
            _log($"{request.Type} failed: {e}");
            Reply(Failure(new(e.GetType().FullName!, e.Message, [e.Message], null), ""));
        }

        Status("idle");
        if (_shutDown)
        {
            _requests.CompleteAdding();
        }

        void Reply(JsonObject? content)
        {
            if (content is not null)
            {
                _channels.Send(channel, request.Type.Replace("_request", "_reply", StringComparison.Ordinal), request, content);
            }
        }

        void Status(string state)
        {
            lock (_lock)
            {
                Send(request, state);
                if (request.Type == "execute_request")
                {
                    _served = state == "busy" ? request : null;
                }
                else if (state == "idle" && _served is { } cell)
                {
                    // Front ends show the newest state, and the kernel is busy still.
                    Send(cell, "busy");
                }
            }

            void Send(Request parent, string state) => _channels.Send(Channel.Iopub, "status", parent, new() { ["execution_state"] = state });
        }
    }

    static JsonObject KernelInfo(Request request)
    {
        // Front ends write this into the notebooks that they save.
        var language = Notebook.CSharpLanguage();
        language["version"] = Submissions.LanguageVersion;
        return new()
        {
            ["status"] = "ok",
            ["protocol_version"] = WireProtocol.Version,
            ["implementation"] = "CSharpKernel",
            ["implementation_version"] = typeof(JupyterKernel).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
            ["language_info"] = language,
            ["banner"] = $"C# {Submissions.LanguageVersion} on {RuntimeInformation.FrameworkDescription}",
            ["help_links"] = new JsonArray(),
            // For the panel of variables.
            ["debugger"] = true,
        };
    }

    JsonObject Execute(Request request)
    {
        var code = request.Text("code");
        var before = _cell;
        // What threads have printed counts to the cell before.
        _engine.Flush();
        _silent = request.Flag("silent", false);
        (_cell, _error) = (request, null);
        _stored = !_silent && request.Flag("store_history", true);
        if (_stored)
        {
            _history.Add(++_count, code);
        }

        if (!_silent)
        {
            _channels.Send(Channel.Iopub, "execute_input", request, new() { ["code"] = code, ["execution_count"] = _count });
        }

        using var running = new CancellationTokenSource();
        lock (_lock)
        {
            _running = running;
        }

        JsonObject reply;
        try
        {
            reply = _engine.Execute(code, $"cell {_count}", running.Token)
                ? new() { ["status"] = "ok", ["user_expressions"] = Evaluate(request.Content["user_expressions"] as JsonObject ?? [], running.Token), ["payload"] = new JsonArray() }
                : Failure(_error!, code);
        }
        finally
        {
            lock (_lock)
            {
                _running = null;
                _asked?.Answer.TrySetException(Ended());
                if (_silent)
                {
                    // What threads print from now on counts to the cell before.
                    (_silent, _cell) = (false, before);
                }
            }
        }

        // When the first cell has run, the reader reads and the processor is free.
        _warmUp ??= _engine.Assistant.WarmUp(CancellationToken.None);
        reply["execution_count"] = _count;
        if (_error is not null && request.Flag("stop_on_error", true))
        {
            _channels.ReceiveArrived();
            _toAbort = _requests.Count;
        }

        return reply;
    }

    JsonObject Evaluate(JsonObject expressions, CancellationToken cancellation) => new(expressions.Select(e =>
    {
        var (value, error) = _engine.Evaluate(e.Value?.ToString() ?? "", e.Key, cancellation);
        return KeyValuePair.Create(e.Key, (JsonNode?)(error is null
            ? new JsonObject { ["status"] = "ok", ["data"] = value ?? [], ["metadata"] = new JsonObject() }
            : Failure(error, e.Value?.ToString() ?? "")));
    }));

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
            Output.Error error => ("error", Failure(error, _cell!.Text("code"))),
            Output.Clear clear => ("clear_output", new JsonObject { ["wait"] = clear.Wait }),
            _ => throw new NotSupportedException(output.GetType().Name),
        };
        if (_stored && output is Output.Result { Data: var data })
        {
            _history.AddResult(data["text/plain"]?.ToString());
        }

        _channels.Send(Channel.Iopub, type, _cell, content);

        // A notebook may still show what an earlier process of this kernel has shown: its displays have other ids.
        JsonObject Display(JsonObject data, string id) => new()
        {
            ["data"] = data,
            ["metadata"] = new JsonObject(),
            ["transient"] = new JsonObject { ["display_id"] = $"{_session}-{id}" },
        };
    }

    /// <param name="error">The error.</param>
    /// <param name="code">The code that has caused it.</param>
    static JsonObject Failure(Output.Error error, string code) => new()
    {
        ["status"] = "error",
        ["ename"] = error.Name,
        ["evalue"] = error.Message,
        ["traceback"] = new JsonArray([.. ErrorColours.Traceback(error, code).Select(l => JsonValue.Create(l))]),
    };

    /// <summary>Asks the front end that runs the cell, on a thread of the cell.</summary>
    string Ask(string prompt, bool secret)
    {
        lock (_asking)
        {
            var answer = new TaskCompletionSource<string>();
            lock (_lock)
            {
                if (_running is not { IsCancellationRequested: false })
                {
                    throw Ended();
                }

                if (_cell is not { } cell || !cell.Flag("allow_stdin", false))
                {
                    throw new InvalidOperationException("The front end that runs this cell takes no input: Console.ReadLine, input and password have none here.");
                }

                var content = new JsonObject { ["prompt"] = prompt, ["password"] = secret };
                _asked = (_channels.Send(Channel.Stdin, "input_request", cell, content, Unreachable), cell, answer);
            }

            return answer.Task.GetAwaiter().GetResult();

            void Unreachable() => answer.TrySetException(new InvalidOperationException("The front end that runs this cell allows input, but does not listen on the channel for it."));
        }
    }

    static InvalidOperationException Ended() => new("The cell has ended: Console.ReadLine, input and password have no input any more.");

    void TakeInput(Request reply)
    {
        lock (_lock)
        {
            // Not all front ends name what they answer; one that does may answer what was interrupted since.
            if (_asked is { } asked && (string.IsNullOrEmpty(reply.ParentId) || reply.ParentId == asked.Id)
                && reply.Identities[^1].AsSpan().SequenceEqual(asked.Cell.Identities[^1]))
            {
                asked.Answer.TrySetResult(reply.Text("value"));
            }
        }
    }

    JsonObject Complete(Request request)
    {
        var code = request.Text("code");
        var completions = _engine.Assistant.Complete(code, CodePoints.ToUtf16(code, request.Number("cursor_pos")), CancellationToken.None).GetAwaiter().GetResult();
        var (start, end) = (CodePoints.FromUtf16(code, completions.Start), CodePoints.FromUtf16(code, completions.End));
        return new()
        {
            ["status"] = "ok",
            ["matches"] = new JsonArray([.. completions.Matches.Select(m => JsonValue.Create(m.Text))]),
            ["cursor_start"] = start,
            ["cursor_end"] = end,
            ["metadata"] = new JsonObject
            {
                ["_jupyter_types_experimental"] = new JsonArray([.. completions.Matches.Select(m => new JsonObject
                {
                    ["text"] = m.Text, ["type"] = m.Kind, ["signature"] = m.Signature, ["start"] = start, ["end"] = end,
                })]),
            },
        };
    }

    JsonObject Inspect(Request request)
    {
        var code = request.Text("code");
        var cursor = CodePoints.ToUtf16(code, request.Number("cursor_pos"));
        var found = _engine.Assistant.Inspect(code, cursor, request.Optional<int>("detail_level"), CancellationToken.None).GetAwaiter().GetResult();
        return new() { ["status"] = "ok", ["found"] = found is not null, ["data"] = found ?? [], ["metadata"] = new JsonObject() };
    }

    static JsonObject IsComplete(Request request)
    {
        var completeness = CodeAssistant.IsComplete(request.Text("code"));
        return new() { ["status"] = completeness.Status, ["indent"] = completeness.Indent };
    }

    /// <summary>No target is known here, and so a comm is closed as soon as it is opened.</summary>
    JsonObject? CloseComm(Request request)
    {
        _channels.Send(Channel.Iopub, "comm_close", request, new() { ["comm_id"] = request.Text("comm_id"), ["data"] = new JsonObject() });
        return null;
    }

    JsonObject ShutDown(Request request)
    {
        _shutDown = true;
        Interrupt();
        new Thread(() =>
        {
            Thread.Sleep(Grace);
            Environment.Exit(0);
        })
        { IsBackground = true }.Start();
        var reply = new JsonObject { ["status"] = "ok", ["restart"] = request.Flag("restart", false) };
        _channels.Send(Channel.Iopub, "shutdown_reply", request, (JsonObject)reply.DeepClone());
        return reply;
    }
}
