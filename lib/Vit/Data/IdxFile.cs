using System.Buffers.Binary;
using System.IO.Compression;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Reads the IDX format of MNIST and Fashion-MNIST: unsigned bytes, plain or gzip-compressed.</summary>
/// <remarks>
/// Two zero bytes, the element type (8: unsigned byte), the number of dimensions, each dimension as a big-endian
/// 32-bit number, then the elements row by row (Y. LeCun, "The MNIST database").
/// </remarks>
public static class IdxFile
{
    /// <summary>The most elements that a file may announce; Fashion-MNIST's largest has 47 million.</summary>
    public const long MaxElements = 1L << 30;

    const int UnsignedByte = 8;

    // DEFLATE encodes at most 258 bytes in 2 bits.
    const long MaxDeflateRatio = 1032;

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file; whether it is compressed is read off its first bytes, not its name.</param>
    /// <param name="dimensions">How many dimensions it must have: 3 for images, 1 for labels.</param>
    /// <returns>uint8, as many dimensions as asked for: [N, H, W] for images, [N] for labels.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, cut short, too long, too large or of another kind.</exception>
    public static Tensor Read(string path, int dimensions)
    {
        using var file = InvalidFile.Open(path);
        return Read(file, path, dimensions);
    }

    /// <inheritdoc cref="Read(string, int)"/>
    /// <param name="stream">The file's content, from its first byte; it must be seekable.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="dimensions">How many dimensions it must have.</param>
    public static Tensor Read(Stream stream, string name, int dimensions)
    {
        Span<byte> start = stackalloc byte[2];
        var compressed = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start is [0x1f, 0x8b];
        var length = compressed ? GzipLength(stream, name) : stream.Length;
        stream.Position = 0;
        using var content = compressed ? new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true) : null;
        return Content(content ?? stream, name, dimensions, length);
    }

    static Tensor Content(Stream stream, string name, int dimensions, long length)
    {
        var header = new byte[4 + 4 * dimensions];
        if (length < header.Length)
            throw InvalidFile.Because(name, $"{length} bytes", $"an IDX file with a header of {header.Length} bytes");
        Fill(header, stream, name);
        if (header[0] != 0 || header[1] != 0)
            throw InvalidFile.Because(name, $"a file that begins with {Convert.ToHexString(header, 0, 4)}", $"an IDX file, which begins with 0000{UnsignedByte:X2}{dimensions:X2}");
        if (header[2] != UnsignedByte)
            throw InvalidFile.Because(name, $"IDX element type 0x{header[2]:X2}", $"0x{UnsignedByte:X2} (unsigned byte)");
        if (header[3] != dimensions)
            throw InvalidFile.Because(name, $"{header[3]} dimensions", $"{dimensions}");

        var shape = new long[dimensions];
        var elements = 1L;
        for (var i = 0; i < dimensions; i++)
        {
            shape[i] = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 + 4 * i));
            if (shape[i] == 0 || shape[i] > MaxElements / elements)
                throw InvalidFile.Because(name, $"dimension {i} of {shape[i]}", $"1 or more, and at most {MaxElements} elements in all");
            elements *= shape[i];
        }
        if (header.Length + elements != length)
            throw InvalidFile.Because(name, $"{length} bytes", $"{header.Length + elements} for dimensions {Shape.Of(shape)}");

        using var scope = NewDisposeScope();
        var data = empty(shape, ScalarType.Byte);
        Fill(data.bytes, stream, name);
        if (Read(new byte[1], stream, name) > 0)
            throw InvalidFile.Because(name, "more bytes after the last element", $"{length} bytes");
        return data.MoveToOuterDisposeScope();
    }

    static void Fill(Span<byte> buffer, Stream stream, string name)
    {
        if (Read(buffer, stream, name) is var read && read < buffer.Length)
            throw InvalidFile.Because(name, $"an end after {read} of {buffer.Length} bytes", "all of them");
    }

    static int Read(Span<byte> buffer, Stream stream, string name)
    {
        try
        {
            return stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        // zlib's "unknown compression method" comes as an IOException.
        catch (Exception e) when (stream is GZipStream && (e is InvalidDataException or IOException))
        {
            throw InvalidFile.Because(name, $"damaged gzip data ({e.Message})", "a whole gzip file", e);
        }
    }

    /// <summary>The length that a gzip file announces in its last four bytes, checked against what its size can hold.</summary>
    static long GzipLength(Stream stream, string name)
    {
        const int HeaderAndTrailer = 18;
        if (stream.Length < HeaderAndTrailer)
            throw InvalidFile.Because(name, $"{stream.Length} bytes", "a gzip file of at least 18 bytes");
        Span<byte> trailer = stackalloc byte[4];
        stream.Position = stream.Length - trailer.Length;
        stream.ReadExactly(trailer);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        return length <= stream.Length * MaxDeflateRatio
            ? length
            : throw InvalidFile.Because(name, $"a gzip file of {stream.Length} bytes that announces {length}", $"at most {stream.Length * MaxDeflateRatio}");
    }
}
