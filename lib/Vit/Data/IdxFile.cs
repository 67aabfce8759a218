using System.Buffers.Binary;
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
        using var content = new MaybeGzip(stream, name);
        return Content(content, name, dimensions);
    }

    static Tensor Content(MaybeGzip content, string name, int dimensions)
    {
        var length = content.Length;
        var header = new byte[4 + 4 * dimensions];
        if (length < header.Length)
            throw InvalidFile.Because(name, $"{length} bytes", $"an IDX file with a header of {header.Length} bytes");
        content.Fill(header);
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
        content.Fill(data.bytes);
        content.CheckEnd();
        return data.MoveToOuterDisposeScope();
    }
}
