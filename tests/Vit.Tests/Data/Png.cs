using System.Buffers.Binary;
using System.Text;

namespace Vit.Tests.Data;

/// <summary>The parts of a PNG file.</summary>
static class Png
{
    /// <summary>Length, kind, content and checksum.</summary>
    public static byte[] Chunk(string kind, ReadOnlySpan<byte> content)
    {
        byte[] chunk = [0, 0, 0, 0, .. Encoding.ASCII.GetBytes(kind), .. content, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        Check(chunk);
        return chunk;
    }

    /// <summary>Makes the checksums of all chunks right that are still chunks, so that what was changed in them is looked at.</summary>
    public static void Mend(Span<byte> file)
    {
        for (var rest = file[Math.Min(8, file.Length)..]; rest.Length >= 12 && BinaryPrimitives.ReadUInt32BigEndian(rest) + 12L is var length && length <= rest.Length; rest = rest[(int)length..])
            Check(rest[..(int)length]);
    }

    static void Check(Span<byte> chunk)
    {
        var crc = uint.MaxValue;
        foreach (var value in chunk[4..^4])
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1) * 0xedb88320;
        }
        BinaryPrimitives.WriteUInt32BigEndian(chunk[^4..], ~crc);
    }
}
