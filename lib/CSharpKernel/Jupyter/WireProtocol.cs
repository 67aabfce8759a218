using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace CSharpKernel.Jupyter;

/// <summary>Messages as frames: identities, delimiter, signature, header, parent header, metadata, content. One thread reads, any may write.</summary>
/// <param name="key">Of HMAC-SHA256; empty for no signature.</param>
sealed class WireProtocol(byte[] key)
{
    public const string Version = "5.3";

    /// <summary>The most bytes that a message may have.</summary>
    public const int MaximumSize = 64 << 20;

    /// <summary>The most frames that a message may have.</summary>
    const int MaximumFrames = 256;

    /// <summary>How many messages are remembered, so that none is taken twice.</summary>
    const int Remembered = 1 << 16;

    static readonly byte[] Delimiter = "<IDS|MSG>"u8.ToArray();
    static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    readonly HashSet<UInt128> _seen = [];
    readonly Queue<UInt128> _seenInOrder = new();
    readonly string _session = Guid.NewGuid().ToString();
    int _sent;

    /// <summary>Reads a message.</summary>
    /// <exception cref="InvalidDataException">It is malformed, its signature is wrong, or it came before; the message says which.</exception>
    public Request Read(IReadOnlyList<byte[]> frames)
    {
        if (frames.Count > MaximumFrames || frames.Sum(f => (long)f.Length) is > MaximumSize)
        {
            throw new InvalidDataException($"expected at most {MaximumFrames} frames and {MaximumSize} bytes, found {frames.Count} frames and {frames.Sum(f => (long)f.Length)} bytes");
        }

        var delimiter = 0;
        while (delimiter < frames.Count && !frames[delimiter].AsSpan().SequenceEqual(Delimiter))
        {
            delimiter++;
        }

        if (frames.Count - delimiter < 6)
        {
            throw new InvalidDataException($"expected identities, '<IDS|MSG>', a signature and four parts, found {frames.Count} frames{(delimiter < frames.Count ? "" : " without '<IDS|MSG>'")}");
        }

        var parts = new[] { frames[delimiter + 2], frames[delimiter + 3], frames[delimiter + 4], frames[delimiter + 5] };
        if (key.Length > 0)
        {
            Span<byte> signature = stackalloc byte[SHA256.HashSizeInBytes];
            var hex = frames[delimiter + 1];
            if (hex.Length != 2 * signature.Length
                || Convert.FromHexString(Encoding.ASCII.GetString(hex), signature, out _, out _) != OperationStatus.Done
                || !CryptographicOperations.FixedTimeEquals(signature, Sign(parts)))
            {
                throw new InvalidDataException("the signature is wrong");
            }

            Remember(signature);
        }

        var (header, parent) = (Parse(parts[0], "header"), Parse(parts[1], "parent_header"));
        Parse(parts[2], "metadata");
        var content = Parse(parts[3], "content");
        string Name(string name) => header[name] is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0
            ? text
            : throw new InvalidDataException($"header, {name}: expected a string, found {header[name]?.ToJsonString() ?? "nothing"}");
        var (id, type) = (Name("msg_id"), Name("msg_type"));
        if (key.Length == 0)
        {
            Remember(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
        }

        return new(frames.Take(delimiter).ToList(), parts[0], id, type, parent["msg_id"] is JsonValue value && value.TryGetValue(out string? answered) ? answered : null, content);
    }

    /// <summary>A <c>msg_id</c> for a message to be written.</summary>
    public string NewId() => $"{_session}_{Interlocked.Increment(ref _sent)}";

    /// <summary>Writes a message.</summary>
    /// <returns>Its frames, without identities or a topic before them.</returns>
    public IReadOnlyList<byte[]> Write(string id, string type, byte[] parent, JsonObject content)
    {
        var header = new JsonObject
        {
            ["msg_id"] = id,
            ["msg_type"] = type,
            ["session"] = _session,
            ["username"] = "kernel",
            ["date"] = DateTime.UtcNow.ToString("O"),
            ["version"] = Version,
        };
        byte[][] parts = [Bytes(header), parent, "{}"u8.ToArray(), Bytes(content)];
        var signature = key.Length > 0 ? Encoding.ASCII.GetBytes(Convert.ToHexStringLower(Sign(parts))) : [];
        return [Delimiter, signature, .. parts];
    }

    byte[] Sign(byte[][] parts)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        foreach (var part in parts)
        {
            hash.AppendData(part);
        }

        return hash.GetHashAndReset();
    }

    void Remember(ReadOnlySpan<byte> hash)
    {
        var message = BinaryPrimitives.ReadUInt128LittleEndian(hash);
        if (!_seen.Add(message))
        {
            throw new InvalidDataException("it came before");
        }

        _seenInOrder.Enqueue(message);
        if (_seenInOrder.Count > Remembered)
        {
            _seen.Remove(_seenInOrder.Dequeue());
        }
    }

    static JsonObject Parse(byte[] utf8, string part)
    {
        try
        {
            return Utf8.IsValid(utf8) && JsonNode.Parse(utf8, documentOptions: Strict) is JsonObject json ? json : throw new InvalidDataException($"{part}: expected a JSON object");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{part}: expected JSON, found something else: {e.Message}");
        }
    }

    static byte[] Bytes(JsonObject json)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Json))
        {
            json.WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
