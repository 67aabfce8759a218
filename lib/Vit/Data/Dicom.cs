using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// A grey image from a DICOM file: one frame, not compressed, 8 or 16 bits a pixel, in any of the three plain transfer
/// syntaxes (DICOM PS3.5 and PS3.10).
/// </summary>
/// <remarks>A file names whoever was examined. This reader looks at the pixels and at what they mean, and keeps nothing else.</remarks>
public sealed class Dicom
{
    const int MaxFileBytes = 256 << 20, Undefined = -1, DeepestSequence = 32;
    const uint PixelData = 0x7FE00010, Item = 0xFFFEE000, EndOfItem = 0xFFFEE00D, EndOfSequence = 0xFFFEE0DD;
    const string Implicit = "1.2.840.10008.1.2", ExplicitLittle = "1.2.840.10008.1.2.1", ExplicitBig = "1.2.840.10008.1.2.2";

    Dicom(Tensor values, bool lowIsWhite) => (Values, LowIsWhite) = (values, lowIsWhite);

    /// <summary>float32, [H, W]: the stored numbers times the rescale slope plus the intercept, for instance Hounsfield units.</summary>
    public Tensor Values { get; }

    /// <summary>Whether the lowest value is meant to be shown white (MONOCHROME1), not black.</summary>
    public bool LowIsWhite { get; }

    /// <summary>The values as a picture: the lowest 0 and the highest 1, turned round where low is white.</summary>
    /// <returns>[1, H, W], float32; 0 everywhere if all values are equal.</returns>
    public Tensor ToImage()
    {
        using var scope = NewDisposeScope();
        var (low, high) = (Values.min(), Values.max());
        if ((high == low).item<bool>())
            return zeros_like(Values).unsqueeze(0).MoveToOuterDisposeScope();
        var image = (Values - low) / (high - low);
        return (LowIsWhite ? 1 - image : image).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, cut short, too large, has no pixels, or is no DICOM file.</exception>
    /// <exception cref="NotSupportedException">It is compressed, in colour, has several frames, other than 8 or 16 bits, or a table of grey values.</exception>
    public static Dicom Read(string path)
    {
        using var file = InvalidFile.Open(path, most: MaxFileBytes);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return Read(content, path);
    }

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="content">The whole file.</param>
    /// <param name="name">What messages call it.</param>
    public static Dicom Read(byte[] content, string name)
    {
        const int preamble = 128;
        if (content.Length < preamble + 4 || !content.AsSpan(preamble, 4).SequenceEqual("DICM"u8))
            throw InvalidFile.Because(name, "a file without the mark DICM", $"it behind {preamble} bytes, as in a DICOM file");
        // The first group says how the rest is written, and is itself always explicit and little-endian.
        var start = new Elements(content, name, preamble + 4);
        var meta = start.Wanted(element => element >> 16 == 2);
        var syntax = meta.TryGetValue(0x00020010, out var uid) ? Text(content, uid) : throw InvalidFile.Because(name, "no transfer syntax", "element (0002,0010)");
        if (syntax is not (Implicit or ExplicitLittle or ExplicitBig))
            throw new NotSupportedException($"{name}: found transfer syntax {Kind(syntax)}, expected one without compression: {Implicit}, {ExplicitLittle} or {ExplicitBig}.");
        var elements = new Elements(content, name, start.At, syntax == Implicit, syntax == ExplicitBig);
        return Image(content, name, elements.Wanted(_ => true), syntax == ExplicitBig);
    }

    static Dicom Image(byte[] content, string name, Dictionary<uint, Range> found, bool big)
    {
        int Number(uint element, int otherwise) => !found.TryGetValue(element, out var range) ? otherwise
            : range.GetOffsetAndLength(content.Length).Length < 2 ? throw InvalidFile.Because(name, $"element {Tag(element)} shorter than 2 bytes", "a 16-bit number")
            : big ? BinaryPrimitives.ReadUInt16BigEndian(content.AsSpan(range)) : BinaryPrimitives.ReadUInt16LittleEndian(content.AsSpan(range));
        double Decimal(uint element, double otherwise) => !found.TryGetValue(element, out var range) || Text(content, range) is not { Length: > 0 } text ? otherwise
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value
            : throw InvalidFile.Because(name, $"'{(text.Length > 20 ? text[..20] : text)}' in element {Tag(element)}", "a number");
        NotSupportedException No(string what, string expected) => new($"{name}: found {what}, expected {expected}.");

        if (!found.TryGetValue(PixelData, out var pixels))
            throw InvalidFile.Because(name, "no pixels", $"element {Tag(PixelData)}");
        var photometric = found.TryGetValue(0x00280004, out var kind) ? Text(content, kind) : "";
        if (photometric is not ("MONOCHROME1" or "MONOCHROME2") || Number(0x00280002, 1) != 1)
            throw No($"{Number(0x00280002, 1)} samples a pixel, '{(photometric.Length > 20 ? photometric[..20] : photometric)}'", "one, MONOCHROME1 or MONOCHROME2");
        if (Decimal(0x00280008, 1) is var frames && frames != 1)
            throw No($"{frames} frames", "one");
        if (found.ContainsKey(0x00283000))
            throw No("a table of grey values (0028,3000)", "a rescale slope and intercept");
        var (rows, columns, allocated, signed) = (Number(0x00280010, 0), Number(0x00280011, 0), Number(0x00280100, 0), Number(0x00280103, 0));
        if (allocated is not (8 or 16))
            throw No($"{allocated} bits a pixel", "8 or 16");
        var stored = Number(0x00280101, allocated);
        var high = Number(0x00280102, stored - 1);
        if (stored < 1 || high < stored - 1 || high >= allocated || signed > 1)
            throw InvalidFile.Because(name, $"{stored} bits up to bit {high} of {allocated}, sign {signed}", "bits within a pixel, sign 0 or 1");
        var bytes = allocated / 8;
        var (first, length) = pixels.GetOffsetAndLength(content.Length);
        // An odd length is padded by a byte.
        if (rows == 0 || columns == 0 || (long)rows * columns * bytes is var needed && length - needed is not (0 or 1))
            throw InvalidFile.Because(name, $"{length} bytes of pixels", $"those of {rows} × {columns} pixels of {bytes} bytes");
        var (slope, intercept) = (Decimal(0x00281053, 1), Decimal(0x00281052, 0));

        var values = new float[rows * columns];
        var data = content.AsSpan(first);
        for (var i = 0; i < values.Length; i++)
        {
            var raw = bytes == 1 ? data[i] : big ? BinaryPrimitives.ReadUInt16BigEndian(data[(2 * i)..]) : BinaryPrimitives.ReadUInt16LittleEndian(data[(2 * i)..]);
            // The lowest stored bit to bit 0, the highest to the sign where there is one.
            var value = (uint)raw << (31 - high);
            values[i] = (float)(slope * (signed == 1 ? (int)value >> (32 - stored) : value >> (32 - stored)) + intercept);
        }
        return new(tensor(values, [rows, columns]), photometric == "MONOCHROME1");
    }

    static string Kind(string syntax) => syntax switch
    {
        "1.2.840.10008.1.2.1.99" => $"{syntax} (deflated)",
        "1.2.840.10008.1.2.5" => $"{syntax} (run lengths)",
        _ when syntax.StartsWith("1.2.840.10008.1.2.4.", StringComparison.Ordinal) => $"{syntax} (JPEG, or a film)",
        { Length: <= 64 } => $"'{syntax}'",
        _ => "of more than 64 characters",
    };

    static string Text(byte[] content, Range range) => Encoding.Latin1.GetString(content.AsSpan(range)).Trim(' ', '\0');

    static string Tag(uint element) => $"({element >> 16:X4},{element & 0xFFFF:X4})";

    /// <summary>Goes through the elements of a file, one after another.</summary>
    sealed class Elements(byte[] content, string name, int at, bool @implicit = false, bool big = false)
    {
        // A sequence in such an element is written without kinds (PS3.5, 6.2.2).
        bool ofUnknownKind;

        public int At => at;

        /// <summary>Where the values of the elements lie, as long as they are wanted; what stands in sequences is passed over.</summary>
        public Dictionary<uint, Range> Wanted(Func<uint, bool> wanted)
        {
            var found = new Dictionary<uint, Range>();
            while (at < content.Length)
            {
                var next = (uint)Short() << 16 | Short();
                at -= 4;
                if (!wanted(next))
                    break;
                var (element, length) = Next(@implicit);
                if (length == Undefined && element == PixelData)
                    throw new NotSupportedException($"{name}: found compressed pixels, expected plain ones.");
                if (length == Undefined)
                    PassSequence(1, @implicit || ofUnknownKind);
                else
                {
                    found[element] = at..(at + length);
                    at += length;
                }
                // What follows the pixels is padding.
                if (element == PixelData)
                    break;
            }
            return found;
        }

        (uint Element, int Length) Next(bool @implicit)
        {
            var element = (uint)Short() << 16 | Short();
            ofUnknownKind = false;
            var isLong = @implicit || element is Item or EndOfItem or EndOfSequence;
            if (!isLong)
            {
                var kind = Encoding.Latin1.GetString(Bytes(2));
                if (!kind.All(char.IsAsciiLetterUpper))
                    throw InvalidFile.Because(name, $"element {Tag(element)} of a kind that is not two letters", "one such as US");
                isLong = kind is "OB" or "OD" or "OF" or "OL" or "OV" or "OW" or "SQ" or "SV" or "UC" or "UN" or "UR" or "UT" or "UV";
                ofUnknownKind = kind == "UN";
                if (isLong)
                    Bytes(2);
            }
            var length = isLong ? Short() | (long)Short() << 16 : Short();
            if (isLong && big)
                length = length >> 16 | (length & 0xFFFF) << 16;
            if (length == uint.MaxValue)
                return (element, Undefined);
            return length <= content.Length - at ? (element, (int)length)
                : throw InvalidFile.Because(name, $"element {Tag(element)} of {length} bytes with {content.Length - at} left", "all of it");
        }

        /// <summary>Past a sequence that ends where it says so.</summary>
        void PassSequence(int depth, bool @implicit)
        {
            if (depth > DeepestSequence)
                throw InvalidFile.Because(name, $"sequences {depth} deep", $"at most {DeepestSequence}");
            while (Next(@implicit) is var (item, length) && item != EndOfSequence)
            {
                if (item != Item)
                    throw InvalidFile.Because(name, $"element {Tag(item)} in a sequence", "an item");
                if (length != Undefined)
                    at += length;
                else
                    while (Next(@implicit) is var (element, inside) && element != EndOfItem)
                        if (inside == Undefined)
                            PassSequence(depth + 1, @implicit || ofUnknownKind);
                        else
                            at += inside;
            }
        }

        ushort Short() => big ? BinaryPrimitives.ReadUInt16BigEndian(Bytes(2)) : BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2));

        ReadOnlySpan<byte> Bytes(int count)
        {
            if (content.Length - at < count)
                throw InvalidFile.Because(name, $"an end at byte {content.Length}", "a whole element");
            at += count;
            return content.AsSpan(at - count, count);
        }
    }
}
