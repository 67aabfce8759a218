using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>
/// A safetensors file open for reading: its names, shapes and metadata at once, its tensors when asked for. The layout
/// is 8 bytes of header length, a JSON header, and the tensors' bytes without gaps
/// (https://github.com/huggingface/safetensors#format).
/// </summary>
/// <remarks>
/// Tensors are read at their place in the file, not through a memory map: that takes a page fault every few pages and
/// was measured to be slower, and a file that shrinks under a map ends the process.
/// </remarks>
public sealed class SafeTensorsFile : TensorFile
{
    internal const string MetadataKey = "__metadata__";

    /// <summary>The types of the format that are read and written, largest elements first.</summary>
    internal static readonly (string Name, ScalarType Type, int Size)[] Types =
    [
        ("F64", ScalarType.Float64, 8),
        ("I64", ScalarType.Int64, 8),
        ("F32", ScalarType.Float32, 4),
        ("I32", ScalarType.Int32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    const int LengthBytes = 8;
    const long LongestHeader = 100_000_000;
    const int MostDimensions = 64;

    readonly string path;
    readonly Stream stream;
    readonly Dictionary<string, StoredTensor> tensors = [];
    readonly Dictionary<string, string> metadata = [];

    /// <summary>Opens a file and reads its header.</summary>
    /// <exception cref="InvalidDataException">The file is no safetensors file, or it is damaged; the message names the file and the tensor.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public SafeTensorsFile(string path) : this(OpenUnbuffered(path), path) { }

    /// <param name="stream">Taken over: it is disposed with this reader, or when this constructor throws.</param>
    /// <param name="path">For messages.</param>
    internal SafeTensorsFile(Stream stream, string path)
    {
        (this.stream, this.path) = (stream, path);
        try
        {
            ReadHeader();
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, StoredTensor> Tensors => tensors;

    /// <summary>What the header's <c>__metadata__</c> says; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <inheritdoc/>
    public override Tensor Read(string name) => At(name, stored => Fill(stored.Shape, stored.Type, stream));

    internal override void ReadInto(string name, Tensor target) => At(name, stored =>
    {
        if (target.dtype == stored.Type && target.is_contiguous() && target.device_type == DeviceType.CPU)
            Fill(target, stream);
        else
            base.ReadInto(name, target);
        return target;
    });

    /// <inheritdoc/>
    public override void Dispose() => stream.Dispose();

    // Every read goes straight to where it belongs. Windows replaces and deletes an open file only where its readers allow it.
    static FileStream OpenUnbuffered(string path)
    {
        NoWeights.Refuse(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
    }

    /// <summary>Does something with the stream where a tensor's bytes begin.</summary>
    Tensor At(string name, Func<StoredTensor, Tensor> read)
    {
        if (!tensors.TryGetValue(name, out var stored))
            throw new KeyNotFoundException($"{path} has no tensor '{name}'.");
        stream.Position = stored.Start;
        try
        {
            return read(stored);
        }
        catch (EndOfStreamException exception)
        {
            throw Invalid("the file was cut while it was read", name, exception);
        }
    }

    void ReadHeader()
    {
        var fileLength = stream.Length;
        if (fileLength < LengthBytes)
            throw Invalid($"it has {fileLength} bytes, and a safetensors file starts with {LengthBytes} bytes of header length");
        Span<byte> prefix = stackalloc byte[LengthBytes];
        stream.ReadExactly(prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        var afterPrefix = (ulong)(fileLength - LengthBytes);
        if (headerLength > LongestHeader)
            throw Invalid($"its header claims {headerLength} bytes, and the format allows {LongestHeader}");
        if (headerLength > afterPrefix)
            throw Invalid($"its header claims {headerLength} bytes, and {afterPrefix} follow");

        var header = new byte[headerLength];
        stream.ReadExactly(header);
        if (header is not [(byte)'{', ..])
            throw Invalid("its header is not a JSON object");
        try
        {
            ParseHeader(header, LengthBytes + (long)headerLength, fileLength);
        }
        // InvalidOperationException: a string that is no valid UTF-8 or escapes half a surrogate pair.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Invalid($"its header is no valid JSON: {exception.Message}", exception);
        }
        CheckLayout(LengthBytes + (long)headerLength, fileLength);
    }

    void ParseHeader(ReadOnlySpan<byte> header, long dataStart, long fileLength)
    {
        var json = new Utf8JsonReader(header);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            json.Read();
            if (name == MetadataKey)
                ParseMetadata(ref json);
            else if (!tensors.TryAdd(name, ParseTensor(ref json, name, dataStart, fileLength)))
                throw Invalid("it stands in the header twice", name);
        }
        // Anything but white space behind the object throws here.
        json.Read();
    }

    void ParseMetadata(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null)
            return;
        if (json.TokenType != JsonTokenType.StartObject)
            throw Invalid("its metadata is no JSON object");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var key = json.GetString()!;
            json.Read();
            if (json.TokenType != JsonTokenType.String)
                throw Invalid($"its metadata '{Shortened(key)}' is no string");
            if (!metadata.TryAdd(key, json.GetString()!))
                throw Invalid($"its metadata has '{Shortened(key)}' twice");
        }
    }

    StoredTensor ParseTensor(ref Utf8JsonReader json, string name, long dataStart, long fileLength)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw Invalid("its entry is no JSON object", name);
        int? type = null;
        long[]? shape = null, offsets = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var key = json.GetString()!;
            json.Read();
            switch (key)
            {
                case "dtype" when type is null:
                    type = ParseType(ref json, name);
                    break;
                case "shape" when shape is null:
                    shape = ParseNumbers(ref json, name, key, MostDimensions);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ParseNumbers(ref json, name, key, 2);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Invalid($"its {key} stands there twice", name);
                default:
                    // As the format's own reader does.
                    json.Skip();
                    break;
            }
        }
        if (type is null || shape is null || offsets is null)
            throw Invalid($"its {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")} is missing", name);
        if (offsets.Length != 2)
            throw Invalid($"its data_offsets have {offsets.Length} numbers, not 2", name);

        var (begin, end, dataLength) = (offsets[0], offsets[1], fileLength - dataStart);
        if (begin > end || end > dataLength)
            throw Invalid($"its data_offsets [{begin}, {end}] are no range within the {dataLength} bytes of data", name);
        var claimed = ByteCount(shape, Types[type.Value].Size, name);
        if (claimed != end - begin)
            throw Invalid($"{Shape.Of(shape)} of {Types[type.Value].Name} takes {claimed} bytes, and its data_offsets [{begin}, {end}] hold {end - begin}", name);
        return new StoredTensor(Types[type.Value].Type, shape, dataStart + begin, end - begin);
    }

    int ParseType(ref Utf8JsonReader json, string name)
    {
        if (json.TokenType != JsonTokenType.String)
            throw Invalid("its dtype is no string", name);
        for (var i = 0; i < Types.Length; i++)
            if (json.ValueTextEquals(Types[i].Name))
                return i;
        throw Invalid($"its dtype '{Shortened(json.GetString()!)}' is none of {string.Join(", ", Types.Select(type => type.Name))}", name);
    }

    long[] ParseNumbers(ref Utf8JsonReader json, string name, string key, int most)
    {
        if (json.TokenType != JsonTokenType.StartArray)
            throw Invalid($"its {key} is no JSON array", name);
        var numbers = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var number) || number < 0)
                throw Invalid($"its {key} holds something else than whole numbers from 0 to {long.MaxValue}", name);
            if (numbers.Count == most)
                throw Invalid($"its {key} has more than {most} numbers", name);
            numbers.Add(number);
        }
        return [.. numbers];
    }

    /// <summary>The bytes of a shape; a product too large for its strides throws even where another dimension is 0.</summary>
    long ByteCount(long[] shape, int elementSize, string name)
    {
        try
        {
            var bytes = (long)elementSize;
            foreach (var size in shape)
                bytes = checked(bytes * Math.Max(size, 1));
            return shape.Contains(0) ? 0 : bytes;
        }
        catch (OverflowException exception)
        {
            throw Invalid($"its shape {Shape.Of(shape)} has more elements than can be counted", name, exception);
        }
    }

    /// <summary>The tensors must lie end to end, from the first byte of data to the last.</summary>
    void CheckLayout(long dataStart, long fileLength)
    {
        var expected = dataStart;
        foreach (var (name, tensor) in tensors.OrderBy(pair => pair.Value.Start).ThenBy(pair => pair.Value.Length))
        {
            if (tensor.Start != expected)
                throw Invalid($"its data starts at byte {tensor.Start - dataStart}, {(tensor.Start < expected ? "inside" : "with a gap after")} the tensor before it, which ends at {expected - dataStart}", name);
            expected = tensor.Start + tensor.Length;
        }
        if (expected != fileLength)
            throw Invalid($"{fileLength - expected} bytes at its end belong to no tensor");
    }

    InvalidDataException Invalid(string what, Exception? inner = null) => new($"{path}: {what}.", inner);

    InvalidDataException Invalid(string what, string tensor, Exception? inner = null) => new($"{path}, tensor '{Shortened(tensor)}': {what}.", inner);
}
