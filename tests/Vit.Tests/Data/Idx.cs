using System.Buffers.Binary;
using System.IO.Compression;

namespace Vit.Tests.Data;

/// <summary>Writes what <see cref="Vit.Data.IdxFile"/> reads.</summary>
static class Idx
{
    public static byte[] File(byte[] data, params int[] shape)
    {
        var file = new byte[4 + 4 * shape.Length + data.Length];
        file[2] = 8;
        file[3] = (byte)shape.Length;
        for (var i = 0; i < shape.Length; i++)
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(4 + 4 * i), shape[i]);
        data.CopyTo(file, 4 + 4 * shape.Length);
        return file;
    }

    public static byte[] Zip(byte[] file)
    {
        using var zipped = new MemoryStream();
        using (var stream = new GZipStream(zipped, CompressionLevel.Fastest))
            stream.Write(file);
        return zipped.ToArray();
    }
}
