using System.Buffers.Binary;

namespace Vit.Data;

/// <summary>
/// What the outside of a picture file tells. A decoder takes a file that was cut short, and leaves what is missing grey;
/// and it reads texts and colour profiles that nobody asked for, however far they unfold. So both are seen to here.
/// </summary>
/// <param name="Format">Its kind, by its first bytes.</param>
/// <param name="Orientation">EXIF's tag 274, from 1 to 8; 1 where there is none, or none that can be read.</param>
readonly record struct PictureFile(PictureFormat Format, int Orientation)
{
    const string Whole = "a whole picture";

    // An encoder's own choice is about 10; each may go over the whole picture again.
    const int MostScans = 64;

    /// <summary>Goes through a file's parts, from the first to its end.</summary>
    /// <exception cref="InvalidDataException">It is of another kind, damaged, cut short, or animated.</exception>
    public static PictureFile Read(ReadOnlySpan<byte> file, string name) =>
        file.StartsWith(PngSignature) ? new(PictureFormat.Png, Png(file, name))
        : file.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) ? new(PictureFormat.Jpeg, Jpeg(file, name))
        : file.StartsWith("RIFF"u8) && file.Length > 12 && file[8..].StartsWith("WEBP"u8) ? new(PictureFormat.Webp, Webp(file, name))
        : throw OfAnotherKind(name, file.Length);

    static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a];

    public static InvalidDataException OfAnotherKind(string name, long length) =>
        InvalidFile.Because(name, length == 0 ? "an empty file" : $"{length} bytes of another kind", "a PNG, JPEG or WebP picture");

    // Chunks of length, name, content and checksum, up to IEND.
    static int Png(ReadOnlySpan<byte> file, string name)
    {
        var orientation = 1;
        for (var rest = file[PngSignature.Length..]; rest.Length >= 12;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - 12)
                break;
            var kind = rest[4..8];
            if (kind.SequenceEqual("IEND"u8))
                return orientation;
            if (kind.SequenceEqual("IHDR"u8) != (file.Length - rest.Length == PngSignature.Length))
                throw InvalidFile.Because(name, "a PNG with its size in another place", "the size first, and once");
            if (kind.SequenceEqual("eXIf"u8))
                orientation = OrientationIn(rest.Slice(8, (int)length));
            rest = rest[(12 + (int)length)..];
        }
        throw InvalidFile.Because(name, $"the first {file.Length} bytes of a PNG", Whole);
    }

    // Segments of marker, length and content; behind the beginning of a scan, its data; up to the end of image.
    static int Jpeg(ReadOnlySpan<byte> file, string name)
    {
        var (orientation, scans) = (1, 0);
        for (var rest = file[2..]; ;)
        {
            var marker = NextMarker(ref rest);
            if (marker == 0xd9)
                return orientation;
            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && (length < 2 || length > rest.Length))
                throw InvalidFile.Because(name, $"the first {file.Length} bytes of a JPEG", Whole);
            if (marker == 0xda && ++scans > MostScans)
                throw InvalidFile.Because(name, $"a JPEG of more than {MostScans} scans", "as many as an encoder makes, about 10");
            if (marker == 0xe1 && rest[2..length].StartsWith("Exif\0\0"u8))
                orientation = OrientationIn(rest[8..length]);
            rest = rest[length..];
        }
    }

    /// <summary>Goes on behind the next marker that begins a segment or ends the picture.</summary>
    /// <returns>0 where there is none.</returns>
    static byte NextMarker(ref ReadOnlySpan<byte> rest)
    {
        while (rest.IndexOf((byte)0xff) is >= 0 and var at && at + 1 < rest.Length)
        {
            var marker = rest[at + 1];
            // Another 0xff fills up; a 0 says that the 0xff was data; 1 and 0xd0 to 0xd8 stand alone.
            rest = rest[(marker == 0xff ? at + 1 : at + 2)..];
            if (marker is not (0xff or 0 or 1 or (>= 0xd0 and <= 0xd8)))
                return marker;
        }
        rest = [];
        return 0;
    }

    // Chunks of name, length and content of an even number of bytes, as many bytes as the beginning says.
    static int Webp(ReadOnlySpan<byte> file, string name)
    {
        var orientation = 1;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + 8L;
        if (length > file.Length)
            throw InvalidFile.Because(name, $"the first {file.Length} of {length} bytes of a WebP", Whole);
        for (var rest = file[12..(int)length]; rest.Length >= 8;)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (size > rest.Length - 8)
                throw InvalidFile.Because(name, "a WebP with a part that goes beyond its end", Whole);
            var content = rest.Slice(8, (int)size);
            if (rest.StartsWith("ANIM"u8))
                throw InvalidFile.Because(name, "an animated WebP", "a picture that stands still");
            if (rest.StartsWith("EXIF"u8))
                orientation = OrientationIn(content.StartsWith("Exif\0\0"u8) ? content[6..] : content);
            rest = rest[(int)Math.Min(8L + size + size % 2, rest.Length)..];
        }
        return orientation;
    }

    /// <summary>Tag 274 in EXIF's data, which is the first directory of a TIFF file.</summary>
    static int OrientationIn(ReadOnlySpan<byte> tiff)
    {
        var little = tiff.StartsWith("II"u8);
        if (tiff.Length < 8 || !little && !tiff.StartsWith("MM"u8))
            return 1;
        var at = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (at + 2L > tiff.Length)
            return 1;
        var entries = tiff[(int)at..];
        var count = Short(entries);
        for (entries = entries[2..]; count > 0 && entries.Length >= 12; count--, entries = entries[12..])
            if (Short(entries) == 274)
                return Short(entries[8..]) is >= 1 and <= 8 and var orientation ? orientation : 1;
        return 1;

        ushort Short(ReadOnlySpan<byte> bytes) => little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }
}
