using System.Buffers.Binary;
using System.Text;
using Vit.Data;

namespace Vit.Tests.Data;

/// <summary>Puts into a picture file what a camera writes there.</summary>
static class Exif
{
    /// <param name="file">A file of <c>Picture.Encode</c>, without EXIF data.</param>
    /// <param name="format">Its kind.</param>
    /// <param name="orientation">1 to 8: on which sides the stored first row and first column belong.</param>
    public static byte[] WithOrientation(byte[] file, PictureFormat format, int orientation)
    {
        byte[] tiff = [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];
        return format switch
        {
            // Behind the signature and the size.
            PictureFormat.Png => [.. file[..33], .. Png.Chunk("eXIf", tiff), .. file[33..]],
            PictureFormat.Jpeg => [.. file[..2], 0xff, 0xe1, 0, (byte)(tiff.Length + 8), .. "Exif\0\0"u8, .. tiff, .. file[2..]],
            _ => Riff([.. file[8..12], .. Extended(file), .. file[12..], .. "EXIF"u8, .. Little(tiff.Length), .. tiff]),
        };
    }

    // A header that says there is EXIF data, and repeats the size, each side less one; the lossy data has it at 26.
    static byte[] Extended(byte[] webp)
    {
        var (width, height) = (BinaryPrimitives.ReadUInt16LittleEndian(webp.AsSpan(26)) - 1, BinaryPrimitives.ReadUInt16LittleEndian(webp.AsSpan(28)) - 1);
        return [.. "VP8X"u8, .. Little(10), 8, 0, 0, 0, .. Little(width)[..3], .. Little(height)[..3]];
    }

    static byte[] Riff(byte[] content) => [.. Encoding.ASCII.GetBytes("RIFF"), .. Little(content.Length), .. content];

    static byte[] Little(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }
}
