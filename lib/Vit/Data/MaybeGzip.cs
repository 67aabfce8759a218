using System.Buffers.Binary;
using System.IO.Compression;

namespace Vit.Data;

/// <summary>A file's content from its first byte, unfolded where it is gzip-compressed, with the length that it will have.</summary>
sealed class MaybeGzip : IDisposable
{
    // DEFLATE encodes at most 258 bytes in 2 bits.
    const long MaxDeflateRatio = 1032;

    readonly Stream content;
    readonly string name;

    /// <param name="stream">Seekable; whether it is compressed is read off its first bytes. It is not disposed with this.</param>
    /// <param name="name">What messages call the file.</param>
    /// <exception cref="InvalidDataException">It is too short for gzip, or announces more than its size can hold.</exception>
    public MaybeGzip(Stream stream, string name)
    {
        this.name = name;
        Span<byte> start = stackalloc byte[2];
        var compressed = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start is [0x1f, 0x8b];
        Length = compressed ? GzipLength(stream, name) : stream.Length;
        stream.Position = 0;
        content = compressed ? new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true) : stream;
    }

    /// <summary>In bytes, unfolded; of a gzip file, what it announces.</summary>
    public long Length { get; }

    /// <summary>Reads as many bytes as the buffer has room for.</summary>
    /// <exception cref="InvalidDataException">The file ends before, or is damaged.</exception>
    public void Fill(Span<byte> buffer)
    {
        if (Read(buffer) is var read && read < buffer.Length)
            throw InvalidFile.Because(name, $"an end after {read} of {buffer.Length} bytes", "all of them");
    }

    /// <exception cref="InvalidDataException">There are more bytes than <see cref="Length"/>.</exception>
    public void CheckEnd()
    {
        if (Read(new byte[1]) > 0)
            throw InvalidFile.Because(name, "more bytes after the last element", $"{Length} bytes");
    }

    public void Dispose()
    {
        if (content is GZipStream)
            content.Dispose();
    }

    int Read(Span<byte> buffer)
    {
        try
        {
            return content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        // zlib's "unknown compression method" comes as an IOException.
        catch (Exception e) when (content is GZipStream && (e is InvalidDataException or IOException))
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
