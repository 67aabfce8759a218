using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Notebooks.Tests;

/// <summary>
/// Behaves like the Hugging Face hub, on 127.0.0.1: large files are stated by one port, which leads to another that sends
/// them, also from an offset on; small ones are sent at once.
/// </summary>
sealed class LoopbackHub : IDisposable
{
    readonly TcpListener _hub = new(IPAddress.Loopback, 0);
    readonly TcpListener _store = new(IPAddress.Loopback, 0);

    public LoopbackHub()
    {
        _hub.Start();
        _store.Start();
        _ = Serve(_hub, isHub: true);
        _ = Serve(_store, isHub: false);
    }

    /// <summary>What it holds, by the path of a request: <c>/owner/name/resolve/main/file</c>.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = new();

    /// <summary>Each request: whether the hub got it, and its lines.</summary>
    public ConcurrentQueue<(bool IsHub, string Path, IReadOnlyList<string> Lines)> Requests { get; } = new();

    /// <summary>After how many bytes each of the next answers of the store breaks off; then they are whole.</summary>
    public ConcurrentQueue<int> Cuts { get; } = new();

    /// <summary>A status that the hub answers with, instead of what it holds.</summary>
    public int? Status { get; set; }

    /// <summary>Whether the store sends from an offset on.</summary>
    public bool HasRanges { get; set; } = true;

    /// <summary>Whether an answer of the store that is cut goes silent rather than ends.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Changes the headers of an answer of the hub.</summary>
    public Func<string, string> Headers { get; set; } = h => h;

    public string Endpoint => $"http://{_hub.LocalEndpoint}";

    public string Store => $"http://{_store.LocalEndpoint}";

    public string? Variable(string name) => name == "HF_ENDPOINT" ? Endpoint : null;

    public IReadOnlyList<string?> Ranges =>
        [.. Requests.Where(r => !r.IsHub).Select(r => r.Lines.SingleOrDefault(l => l.StartsWith("Range: ", StringComparison.OrdinalIgnoreCase))?["Range: ".Length..])];

    async Task Serve(TcpListener listener, bool isHub)
    {
        while (true)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync();
                _ = Answer(client, isHub);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }

    async Task Answer(TcpClient client, bool isHub)
    {
        using var _ = client;
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var lines = new List<string>();
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            lines.Add(line);
        }

        // A proxy is sent the whole address.
        var path = new Uri(new Uri(Endpoint), lines[0].Split(' ')[1]).AbsolutePath;
        Requests.Enqueue((isHub, path, lines));
        var offset = HasRanges && lines.Find(l => l.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase)) is { } range
            ? int.Parse(range["Range: bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture) : 0;
        byte[] body = [];
        string head;
        if (isHub && Status is { } status)
        {
            head = $"{status} As it was asked for\r\nContent-Length: 0\r\n";
        }
        else if (!Files.TryGetValue(path, out var bytes))
        {
            head = "404 Not Found\r\nContent-Length: 0\r\n";
        }
        else if (isHub && path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            head = Headers($"302 Found\r\nLocation: {Store}{path}\r\nX-Linked-Size: {bytes.Length}\r\nX-Linked-ETag: \"{Convert.ToHexStringLower(SHA256.HashData(bytes))}\"\r\nContent-Length: 0\r\n");
        }
        else if (offset > 0 && offset >= bytes.Length)
        {
            head = $"416 Range Not Satisfiable\r\nContent-Range: bytes */{bytes.Length}\r\nContent-Length: 0\r\n";
        }
        else
        {
            body = bytes[offset..];
            var name = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
            head = (offset > 0 ? $"206 Partial Content\r\nContent-Range: bytes {offset}-{bytes.Length - 1}/{bytes.Length}\r\n" : "200 OK\r\n")
                + $"Content-Length: {body.Length}\r\nETag: \"{(isHub ? name : "of-the-store")}\"\r\n";
            head = isHub ? Headers(head) : head;
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}Connection: close\r\n\r\n"));
        var cut = body.Length;
        var isCut = !isHub && Cuts.TryDequeue(out cut);
        await stream.WriteAsync(body.AsMemory(0, isCut ? Math.Min(body.Length, cut) : body.Length));
        if (isCut && IsSilent)
        {
            // Until the client gives up.
            await reader.ReadLineAsync();
        }
    }

    public void Dispose()
    {
        _hub.Dispose();
        _store.Dispose();
    }
}
