using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using CSharpKernel.Outputs;

namespace CSharpKernel.Headless;

/// <summary>
/// An engine in a process of its own, so that a cell may end or crash it without harm to others. Cells go to the
/// process's stdin as lines of JSON; what comes back on its stdout are JSON text sequences (RFC 7464: a record
/// separator before, a line feed after), between which anything else, such as prints of native libraries, is kept as text,
/// but for one warning of libtorch's.
/// </summary>
public sealed partial class KernelProcess : IDisposable
{
    internal const char RecordSeparator = '\u001e';

    internal static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The environment that a kernel is started with.</summary>
    internal static readonly IReadOnlyDictionary<string, string> Variables = new Dictionary<string, string>
    {
        // GNU's OpenMP, which libtorch has on Linux: its threads spin while they wait for one another, and then sleep. Its
        // 300,000 rounds take ten times as long for small steps where a core is taken by something else; sleeping at
        // once takes twice as long where none is. This many cost a third at most in either case.
        ["GOMP_SPINCOUNT"] = "10000",
        // glibc: all threads share the memory of the first. What others have of their own goes back to the system in blocks
        // of up to 64 MB, whoever asks to keep it, and a cell runs on one of those: its large tensors would be fetched page by page.
        ["MALLOC_ARENA_MAX"] = "1",
    };

    /// <summary>How long output may still come after the process has ended: a child of it may hold the pipe open.</summary>
    static readonly TimeSpan Drain = TimeSpan.FromSeconds(2);

    readonly Process _process;
    readonly Task _reading;
    readonly Lock _lock = new();
    readonly List<Output> _late = [];
    Action<Output>? _sink;
    TaskCompletionSource<bool>? _done;

    KernelProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(Read(process.StandardOutput), Read(process.StandardError));
    }

    /// <summary>The most memory that the process has had resident, as of the last cell's end, in bytes.</summary>
    public long PeakMemory { get; private set; }

    /// <summary>Starts a process.</summary>
    /// <param name="folder">The notebook's folder; the process's working directory too.</param>
    public static KernelProcess Start(string folder)
    {
        var start = new ProcessStartInfo(DotNet.Host)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            ArgumentList = { "exec", typeof(KernelProcess).Assembly.Location, Program.HeadlessVerb, folder },
        };
        foreach (var (name, value) in Variables)
        {
            start.Environment.TryAdd(name, value);
        }

        return new(Process.Start(start)!);
    }

    /// <summary>Runs a cell.</summary>
    /// <param name="code">The cell's text.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <param name="sink">Takes the outputs, one at a time, in order.</param>
    /// <param name="timeout">After which the process is killed; null for never.</param>
    /// <param name="cancellation">Kills the process.</param>
    /// <returns>Whether the cell ended without error.</returns>
    /// <exception cref="KernelDiedException">The process ended.</exception>
    /// <exception cref="TimeoutException">The cell took too long.</exception>
    public async Task<bool> Execute(string code, string name, Action<Output> sink, TimeSpan? timeout = null, CancellationToken cancellation = default)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            (_sink, _done) = (sink, done);
            _late.ForEach(sink);
            _late.Clear();
        }

        try
        {
            await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new Request(code, name), Json).AsMemory(), cancellation);
            await _process.StandardInput.FlushAsync(cancellation);
        }
        catch (IOException)
        {
            // The process has ended already; its exit tells more.
        }

        var exited = _process.WaitForExitAsync(cancellation);
        try
        {
            await Task.WhenAny(done.Task, exited).WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            Kill();
            await Task.WhenAny(_reading, Task.Delay(Drain, CancellationToken.None));
            throw e is TimeoutException ? new TimeoutException($"{name} ran longer than {timeout!.Value.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s and was stopped.") : e;
        }

        if (!done.Task.IsCompleted)
        {
            await Task.WhenAny(_reading, Task.Delay(Drain, cancellation));
        }

        lock (_lock)
        {
            _sink = null;
        }

        return done.Task.IsCompleted ? await done.Task : throw new KernelDiedException(name, DescribeExit(_process.ExitCode));
    }

    async Task Read(StreamReader reader)
    {
        var stream = reader == _process.StandardOutput ? "stdout" : "stderr";
        var buffer = new char[1 << 14];
        var record = new StringBuilder();
        var inRecord = false;
        var held = "";
        int count;
        while ((count = await reader.ReadAsync(buffer)) > 0)
        {
            for (var rest = buffer.AsMemory(0, count); rest.Length > 0;)
            {
                var end = rest.Span.IndexOf(inRecord ? '\n' : RecordSeparator);
                var piece = end < 0 ? rest : rest[..end];
                rest = end < 0 ? default : rest[(end + 1)..];
                if (!inRecord)
                {
                    var text = OfNoUse().Replace(held + piece.ToString().ReplaceLineEndings("\n"), "");
                    // What may be the beginning of such a line waits for the rest of it.
                    var last = text.LastIndexOf('\n') + 1;
                    held = end < 0 && Begun().IsMatch(text, last) ? text[last..] : "";
                    Deliver(new Output.Stream(stream, text[..^held.Length]));
                    inRecord = end >= 0;
                    continue;
                }

                record.Append(piece);
                if (end >= 0)
                {
                    Receive(record.ToString(), stream);
                    record.Clear();
                    inRecord = false;
                }
            }
        }

        Deliver(new Output.Stream(stream, held));
    }

    /// <summary>
    /// What libtorch says at each convolution on processors that one of its libraries does not know, and another computes.
    /// A reader can do nothing about it, and outputs would differ from machine to machine.
    /// </summary>
    [GeneratedRegex(@"\[W\d[^\]\n]* NNPACK\.cpp:\d+\] Could not initialize NNPACK![^\n]*\n")]
    private static partial Regex OfNoUse();

    [GeneratedRegex(@"\G\[W\d")]
    private static partial Regex Begun();

    void Receive(string record, string stream)
    {
        Reply? reply;
        try
        {
            reply = JsonSerializer.Deserialize<Reply>(record, Json);
        }
        catch (JsonException)
        {
            Deliver(new Output.Stream(stream, record + "\n"));
            return;
        }

        if (reply?.Output is { } output)
        {
            Deliver(output);
        }

        if (reply?.Succeeded is { } succeeded)
        {
            PeakMemory = Math.Max(PeakMemory, reply.PeakMemory ?? 0);
            _done?.TrySetResult(succeeded);
        }
    }

    void Deliver(Output output)
    {
        lock (_lock)
        {
            if (output is Output.Stream { Text.Length: 0 })
            {
                return;
            }

            // What a native library prints may arrive when its cell has ended: the next one takes it.
            (_sink ?? _late.Add)(output);
        }
    }

    static string DescribeExit(int code) => code switch
    {
        > 128 and < 160 when !OperatingSystem.IsWindows() => $"killed by signal {code - 128}" + (code - 128) switch
        {
            4 => " (SIGILL)",
            6 => " (SIGABRT)",
            7 => " (SIGBUS)",
            8 => " (SIGFPE)",
            9 => " (SIGKILL, perhaps for want of memory)",
            11 => " (SIGSEGV)",
            15 => " (SIGTERM)",
            _ => "",
        },
        < 0 or > 255 => $"exit code 0x{code:X8}",
        _ => $"exit code {code}",
    };

    void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>Ends the process.</summary>
    public void Dispose()
    {
        Kill();
        _process.WaitForExit(Drain);
        _process.Dispose();
    }

    internal sealed record Request(string Code, string Name);

    /// <summary>An output, or the end of the cell.</summary>
    internal sealed record Reply(Output? Output = null, bool? Succeeded = null, long? PeakMemory = null);
}
