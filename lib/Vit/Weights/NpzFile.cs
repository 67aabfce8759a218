using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>
/// Arrays as NumPy's <c>savez</c> and <c>savez_compressed</c> write them: a zip file of .npy entries
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). The paper's own checkpoints are of this kind.
/// </summary>
public sealed partial class NpzFile : TensorFile
{
    const int LongestHeader = 10_000;   // NumPy's own limit.
    const int MostDimensions = 64;

    // Trained weights hardly compress. What unfolds to more than this is no checkpoint; small files are let through.
    const int MostUnfolding = 4;
    const long AlwaysAllowed = 1 << 20;

    readonly string path;
    readonly ZipArchive zip;
    readonly Dictionary<string, StoredTensor> tensors = [];
    readonly Dictionary<string, (ZipArchiveEntry Entry, bool Fortran)> entries = [];

    /// <summary>Opens a file and reads what its arrays are.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, of another kind, or has arrays that are not supported; the message names file and array.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public NpzFile(string path) : this(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read), path) { }

    /// <param name="stream">Taken over: it is disposed with this reader, or when this constructor throws.</param>
    /// <param name="path">For messages.</param>
    internal NpzFile(Stream stream, string path)
    {
        this.path = path;
        try
        {
            var length = stream.Length;
            zip = Checked(path, () => new ZipArchive(stream, ZipArchiveMode.Read));
            var found = Checked(path, () => Entries(length));
            foreach (var entry in found)
                Checked(Place(entry), () => Add(entry));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The file's arrays by name, without <c>.npy</c>, in the file's order.</summary>
    public override IReadOnlyDictionary<string, StoredTensor> Tensors => tensors;

    /// <inheritdoc/>
    public override Tensor Read(string name)
    {
        if (!entries.TryGetValue(name, out var it))
            throw new KeyNotFoundException($"{path} has no array '{name}'.");
        return Checked(Place(it.Entry), () => Read(it.Entry, tensors[name], it.Fortran));
    }

    /// <inheritdoc/>
    public override void Dispose() => zip.Dispose();

    string Place(ZipArchiveEntry entry) => $"{path}, array '{Shortened(entry.FullName)}'";

    /// <summary>Turns all that ZipArchive and the streams throw at damaged files into one exception that names the place.</summary>
    static T Checked<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            throw new InvalidDataException($"{place}: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    IReadOnlyList<ZipArchiveEntry> Entries(long fileLength)
    {
        Int128 total = 0;
        foreach (var entry in zip.Entries)
            total += entry.Length;
        if (total > Math.Max(MostUnfolding * fileLength, AlwaysAllowed))
            throw new InvalidDataException($"its entries claim {total} bytes unpacked, more than {MostUnfolding} times the file's {fileLength}");
        return zip.Entries;
    }

    bool Add(ZipArchiveEntry entry)
    {
        if (!entry.FullName.EndsWith(".npy", StringComparison.Ordinal))
            throw new InvalidDataException("it is no .npy entry");
        using var stream = entry.Open();
        var (type, elementSize, fortran, shape, start) = ReadHeader(stream);
        var claimed = shape.Aggregate((Int128)elementSize, (bytes, size) => bytes * size);
        if (claimed != entry.Length - start)
            throw new InvalidDataException($"an array {Shape.Of(shape)} takes {claimed} bytes, and its entry has {entry.Length - start}");
        var name = entry.FullName[..^".npy".Length];
        if (!tensors.TryAdd(name, new StoredTensor(type, shape, start, (long)claimed)))
            throw new InvalidDataException("it stands there twice");
        entries.Add(name, (entry, fortran));
        return true;
    }

    static Tensor Read(ZipArchiveEntry entry, StoredTensor stored, bool fortran)
    {
        using var stream = entry.Open();
        stream.ReadExactly(stackalloc byte[(int)stored.Start]);
        // Fortran order is the reversed shape in C order.
        var tensor = Fill(fortran ? [.. stored.Shape.Reverse()] : stored.Shape, stored.Type, stream);
        if (stream.ReadByte() >= 0)
        {
            tensor.Dispose();
            throw new InvalidDataException($"more than the {stored.Length} bytes of its array follow");
        }
        if (!fortran || stored.Shape.Length < 2)
            return tensor;
        using (tensor)
        using (var turned = tensor.permute([.. Enumerable.Range(0, stored.Shape.Length).Reverse().Select(dimension => (long)dimension)]))
            return turned.contiguous();
    }

    static (ScalarType Type, int ElementSize, bool Fortran, long[] Shape, int Length) ReadHeader(Stream stream)
    {
        Span<byte> prefix = stackalloc byte[12];
        stream.ReadExactly(prefix[..10]);
        if (!prefix.StartsWith(Magic))
            throw new InvalidDataException("it does not start as a .npy file does");
        if (prefix[6] is 0 or > 3)
            throw new InvalidDataException($"its format is of version {prefix[6]}, and 1 to 3 are known");
        var prefixLength = prefix[6] == 1 ? 10 : 12;
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
            if (!long.TryParse(numbers[i].Value, NumberStyles.None, CultureInfo.InvariantCulture, out shape[i]) || (elements *= Math.Max(shape[i], 1)) > long.MaxValue)
                throw new InvalidDataException($"its shape ({Shortened(string.Join(", ", numbers))}) has more elements than can be counted");
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

    [GeneratedRegex(@"^\{'descr': '(?<descr>[^']*)', 'fortran_order': (?<order>True|False), 'shape': \((?:(?<size>[0-9]+)(?:, |,(?=\))|(?=\))))*\), \} *\n?$", RegexOptions.CultureInvariant)]
    private static partial Regex HeaderPattern();
}
