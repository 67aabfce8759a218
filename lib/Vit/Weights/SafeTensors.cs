using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>Loads and saves tensors by name as safetensors (https://github.com/huggingface/safetensors).</summary>
public static class SafeTensors
{
    const int Alignment = 8;
    const long WriteAtOnce = 16 << 20;

    /// <summary>Loads every tensor of a file into memory, on the CPU.</summary>
    /// <param name="path">A <c>.safetensors</c> file, or the <c>.safetensors.index.json</c> of a checkpoint in several files.</param>
    /// <returns>The tensors by name, in the file's order; the caller disposes them.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or of another kind; the message names it and the tensor.</exception>
    /// <exception cref="FileNotFoundException">The file, or one that the index names, does not exist.</exception>
    public static Dictionary<string, Tensor> Load(string path)
    {
        using TensorFile file = Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase)
            ? new ShardedSafeTensorsFile(path)
            : new SafeTensorsFile(path);
        return file.ReadAll();
    }

    /// <summary>Saves tensors of any device and layout, whole or not at all.</summary>
    /// <param name="path">Where to; a file that stands there is replaced at the end.</param>
    /// <param name="tensors">Names and tensors; the order is kept among elements of one size, the larger come first.</param>
    /// <param name="metadata">What goes into the header's <c>__metadata__</c>; transformers wants <c>format: pt</c>.</param>
    /// <exception cref="ArgumentException">A name stands there twice or is <c>__metadata__</c>, or the format has no such type.</exception>
    public static void Save(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // Larger elements first, so that every tensor starts at a multiple of its element's size, as readers that map files expect.
        var ordered = tensors.OrderByDescending(pair => TypeOf(pair).Size).ToList();
        var header = Header(ordered, metadata);
        WholeFile.Write(path, stream =>
        {
            Span<byte> prefix = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
            stream.Write(prefix);
            stream.Write(header);
            foreach (var (_, tensor) in ordered)
                WriteData(stream, tensor);
        });
    }

    static (string Name, ScalarType Type, int Size) TypeOf(KeyValuePair<string, Tensor> pair)
    {
        var type = pair.Value.dtype;
        foreach (var known in SafeTensorsFile.Types)
            if (known.Type == type)
                return known;
        throw new ArgumentException($"Tensor '{pair.Key}' is of type {type}, which is not among {string.Join(", ", SafeTensorsFile.Types.Select(known => known.Type))}.", nameof(pair));
    }

    static byte[] Header(List<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var names = new HashSet<string> { SafeTensorsFile.MetadataKey };
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject(SafeTensorsFile.MetadataKey);
                foreach (var (key, value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var pair in tensors)
            {
                if (!names.Add(pair.Key))
                    throw new ArgumentException($"Tensor name '{pair.Key}' is taken.", nameof(tensors));
                var type = TypeOf(pair);
                json.WriteStartObject(pair.Key);
                json.WriteString("dtype", type.Name);
                json.WriteStartArray("shape");
                foreach (var size in pair.Value.shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += pair.Value.numel() * type.Size);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % Alignment != 0)
            buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    /// <summary>A tensor's elements, row by row, whatever its device and layout.</summary>
    internal static void WriteData(Stream stream, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        for (long start = 0; start < flat.shape[0]; start += WriteAtOnce)
            stream.Write(flat.narrow(0, start, Math.Min(WriteAtOnce, flat.shape[0] - start)).bytes);
    }
}
