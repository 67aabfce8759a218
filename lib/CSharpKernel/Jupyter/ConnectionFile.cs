using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CSharpKernel.Jupyter;

/// <summary>Where a front end expects its kernel to listen, and the key that both sign with.</summary>
/// <param name="Address">The address to bind to, as NetMQ writes it, without a port.</param>
/// <param name="Shell">Port of requests.</param>
/// <param name="Control">Port of requests that do not wait for those on shell.</param>
/// <param name="Stdin">Port on which the kernel asks for input.</param>
/// <param name="Iopub">Port on which the kernel tells all clients what it does.</param>
/// <param name="Heartbeat">Port that echoes.</param>
/// <param name="Key">Of HMAC-SHA256; empty where messages are not signed.</param>
sealed record ConnectionFile(string Address, int Shell, int Control, int Stdin, int Iopub, int Heartbeat, byte[] Key)
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is not a connection file that this kernel can serve; the message names the file, what was found and what was expected.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ConnectionFile Load(string path)
    {
        JsonObject json;
        try
        {
            json = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new InvalidDataException($"{path}: expected a JSON object, found something else.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: expected JSON, found something else: {e.Message}");
        }

        if (Text("transport", "tcp") is not "tcp" and var transport)
        {
            // NetMQ's ipc is its own kind, which no other ZeroMQ can talk to.
            throw new InvalidDataException($"{path}: transport: expected tcp, found '{transport}'. This kernel listens on TCP alone; in Jupyter, leave KernelManager.transport at 'tcp'.");
        }

        if (Text("signature_scheme", "hmac-sha256") is not "hmac-sha256" and var scheme)
        {
            throw new InvalidDataException($"{path}: signature_scheme: expected hmac-sha256, found '{scheme}'.");
        }

        var ip = Text("ip", "127.0.0.1");
        if (!IPAddress.TryParse(ip, out var address))
        {
            throw new InvalidDataException($"{path}: ip: expected an IP address, found '{ip}'.");
        }

        return new(address.AddressFamily == AddressFamily.InterNetworkV6 ? $"tcp://[{address}]" : $"tcp://{address}",
            Port("shell_port"), Port("control_port"), Port("stdin_port"), Port("iopub_port"), Port("hb_port"), Encoding.UTF8.GetBytes(Text("key", "")));

        string Text(string name, string otherwise) => json[name] switch
        {
            null => otherwise,
            JsonValue value when value.TryGetValue(out string? text) => text,
            var other => throw new InvalidDataException($"{path}: {name}: expected a string, found {other.ToJsonString()}."),
        };

        int Port(string name) => json[name] is JsonValue value && value.TryGetValue(out int port) && port is > 0 and <= ushort.MaxValue
            ? port
            : throw new InvalidDataException($"{path}: {name}: expected a port, found {json[name]?.ToJsonString() ?? "nothing"}.");
    }
}
