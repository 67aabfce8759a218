using System.Text;

namespace Vit.Tests.Data;

/// <summary>Puts into a JPEG file what a camera writes there.</summary>
static class Exif
{
    /// <param name="jpeg">A JPEG file without EXIF data.</param>
    /// <param name="orientation">1 to 8: on which sides the stored first row and first column belong.</param>
    public static byte[] WithOrientation(byte[] jpeg, int orientation) =>
    [
        .. jpeg[..2],
        0xff, 0xe1, 0, 34, .. Encoding.ASCII.GetBytes("Exif\0\0II*\0"), 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0,
        .. jpeg[2..],
    ];
}
