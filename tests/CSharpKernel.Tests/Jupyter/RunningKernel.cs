using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Cells;
using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

/// <summary>A kernel in a process of its own, started as Jupyter starts it.</summary>
public sealed class RunningKernel : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("kernel-").FullName;
    readonly Process _process;
    readonly StringBuilder _log = new();

    public RunningKernel()
        : this("a key")
    {
    }

    internal RunningKernel(string key, string? program = null)
    {
        var listeners = Enumerable.Range(0, 5).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToList();
        listeners.ForEach(l => l.Stop());
        var file = Path.Combine(_folder, "connection.json");
        File.WriteAllText(file, new JsonObject
        {
            ["transport"] = "tcp",
            ["ip"] = "127.0.0.1",
            ["shell_port"] = ports[0],
            ["control_port"] = ports[1],
            ["stdin_port"] = ports[2],
            ["iopub_port"] = ports[3],
            ["hb_port"] = ports[4],
            ["key"] = key,
            ["signature_scheme"] = "hmac-sha256",
        }.ToJsonString());
        Connection = ConnectionFile.Load(file);
        _process = Process.Start(new ProcessStartInfo(DotNet.Host, ["exec", program ?? typeof(CSharpEngine).Assembly.Location, "jupyter", file])
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
            {
                _log.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        Client = new KernelClient(Connection, log: () => (_process.HasExited ? $"The kernel has ended with {_process.ExitCode}. " : "") + Log);
    }

    internal ConnectionFile Connection { get; }

    /// <summary>A client that is there from the start.</summary>
    internal KernelClient Client { get; }

    internal Process Process => _process;

    /// <summary>What the kernel has written to stderr.</summary>
    internal string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
