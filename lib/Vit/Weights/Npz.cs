using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>
/// Loads arrays as NumPy's <c>savez</c> and <c>savez_compressed</c> write them: a zip file of .npy entries
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). The paper's own checkpoints are of this kind.
/// </summary>
public static partial class Npz
{
    const int LongestHeader = 10_000;   // NumPy's own limit.
    const int MostDimensions = 64;
    const int ReadAtOnce = 16 << 20;

    // Trained weights hardly compress. What unfolds to more than this is no checkpoint; small files are let through.
    const int MostUnfolding = 4;
    const long AlwaysAllowed = 1 << 20;

    /// <summary>Loads every array of a file, on the CPU.</summary>
    /// <returns>The arrays by name, without <c>.npy</c>, in the file's order; the caller disposes them.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, of another kind, or has arrays that are not supported; the message names file and array.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static Dictionary<string, Tensor> Load(string path)
    {
        Pickle.Refuse(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Load(stream, path);
    }

    internal static Dictionary<string, Tensor> Load(Stream stream, string path)
    {
        var arrays = new Dictionary<string, Tensor>();
        var place = path;
        try
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            CheckUnfolding(zip, stream.Length);
            foreach (var entry in zip.Entries)
            {
                place = $"{path}, array '{Shortened(entry.FullName)}'";
                if (!entry.FullName.EndsWith(".npy", StringComparison.Ordinal))
                    throw new InvalidDataException("it is no .npy entry");
                using var content = entry.Open();
                if (!arrays.TryAdd(entry.FullName[..^".npy".Length], Read(content, entry.Length)))
                    throw new InvalidDataException("it stands there twice");
            }
            return arrays;
        }
        catch (Exception exception)
        {
            foreach (var array in arrays.Values)
                array.Dispose();
            // All that ZipArchive and the streams throw at damaged files.
            if (exception is InvalidDataException or IOException or ArgumentException or NotSupportedException or OverflowException)
                throw new InvalidDataException($"{place}: {exception.Message.TrimEnd('.')}.", exception);
            throw;
        }
    }

    static void CheckUnfolding(ZipArchive zip, long fileLength)
    {
        Int128 total = 0;
        foreach (var entry in zip.Entries)
            total += entry.Length;
        var most = Math.Max(MostUnfolding * fileLength, AlwaysAllowed);
        if (total > most)
            throw new InvalidDataException($"its entries claim {total} bytes unpacked, more than {MostUnfolding} times the file's {fileLength}");
    }

    static Tensor Read(Stream stream, long entryLength)
    {
        var (type, elementSize, fortran, shape, headerLength) = ReadHeader(stream);
        var claimed = shape.Aggregate((Int128)elementSize, (bytes, size) => bytes * size);
        if (claimed != entryLength - headerLength)
            throw new InvalidDataException($"an array [{string.Join(", ", shape)}] takes {claimed} bytes, and its entry has {entryLength - headerLength}");

        // Fortran order is the reversed shape in C order.
        var tensor = empty(fortran ? shape.Reverse().ToArray() : shape, type);
        try
        {
            using var flat = tensor.view(-1);
            for (long start = 0, atOnce = ReadAtOnce / elementSize; start < flat.shape[0]; start += atOnce)
            {
                using var part = flat.narrow(0, start, Math.Min(atOnce, flat.shape[0] - start));
                stream.ReadExactly(part.bytes);
            }
            if (stream.ReadByte() >= 0)
                throw new InvalidDataException($"more than the {claimed} bytes of its array follow");
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
        if (!fortran || shape.Length < 2)
            return tensor;
        using (tensor)
        using (var permuted = tensor.permute([.. Enumerable.Range(0, shape.Length).Reverse().Select(dimension => (long)dimension)]))
            return permuted.contiguous();
    }

    static (ScalarType Type, int ElementSize, bool Fortran, long[] Shape, int Length) ReadHeader(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[12];
        stream.ReadExactly(prefix[..10]);
        if (!prefix.StartsWith(Magic))
            throw new InvalidDataException("it does not start as a .npy file does");
        var prefixLength = prefix[6] == 1 ? 10 : 12;
        if (prefix[6] is 0 or > 3)
            throw new InvalidDataException($"its format is of version {prefix[6]}, and 1 to 3 are known");
        stream.ReadExactly(prefix[10..prefixLength]);
        var length = prefixLength == 10
            ? BinaryPrimitives.ReadUInt16LittleEndian(prefix[8..])
            : BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
        if (length > LongestHeader)
            throw new InvalidDataException($"its header claims {length} bytes, and NumPy reads at most {LongestHeader}");
        var bytes = new byte[length];
        stream.ReadExactly(bytes);

        var header = Encoding.Latin1.GetString(bytes);
        if (HeaderPattern().Match(header) is not { Success: true } match)
            throw new InvalidDataException($"its header is not as NumPy writes it: {Shortened(header.TrimEnd())}");
        var (type, size) = TypeOf(match.Groups["descr"].Value);
        var numbers = match.Groups["size"].Captures;
        if (numbers.Count > MostDimensions)
            throw new InvalidDataException($"it has {numbers.Count} dimensions, and at most {MostDimensions} are read");
        var shape = new long[numbers.Count];
        // The strides of an empty array are counted as if no size were 0.
        Int128 elements = size;
        for (var i = 0; i < shape.Length; i++)
        {
            if (!long.TryParse(numbers[i].Value, NumberStyles.None, CultureInfo.InvariantCulture, out shape[i]) || (elements *= Math.Max(shape[i], 1)) > long.MaxValue)
                throw new InvalidDataException($"its shape ({Shortened(string.Join(", ", numbers))}) has more elements than can be counted");
        }
        return (type, size, match.Groups["order"].Value == "True", shape, prefixLength + (int)length);
    }

    static (ScalarType, int) TypeOf(string descr) => descr switch
    {
        "<f4" => (ScalarType.Float32, 4),
        "<f2" => (ScalarType.Float16, 2),
        "<f8" => (ScalarType.Float64, 8),
        "<i8" => (ScalarType.Int64, 8),
        "<i4" => (ScalarType.Int32, 4),
        "|u1" => (ScalarType.Byte, 1),
        "|b1" => (ScalarType.Bool, 1),
        // NumPy has no bfloat16 and writes JAX's as two bytes of no type.
        "|V2" or "<V2" => (ScalarType.BFloat16, 2),
        "|O" => throw new InvalidDataException("it holds pickled Python objects, which are never loaded"),
        _ => throw new InvalidDataException($"its type '{Shortened(descr)}' is none of <f4, <f2, <f8, <i8, <i4, |u1, |b1 and |V2 (bfloat16)"),
    };

    static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    static string Shortened(string text) => text.Length <= 200 ? text : $"{text[..200]}…";

    [GeneratedRegex(@"^\{'descr': '(?<descr>[^']*)', 'fortran_order': (?<order>True|False), 'shape': \((?:(?<size>[0-9]+)(?:, |,(?=\))|(?=\))))*\), \} *\n?$", RegexOptions.CultureInvariant)]
    private static partial Regex HeaderPattern();
}
