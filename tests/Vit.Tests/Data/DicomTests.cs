using Vit.Data;
using Vit.Tests.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public sealed class DicomTests
{
    static readonly string Folder = Path.Combine(Fixture.Root, "volumes");

    [Theory]
    [InlineData("MR_small.dcm")]
    [InlineData("MR_small_implicit.dcm")]
    [InlineData("MR_small_bigendian.dcm")]
    [InlineData("low-is-white.dcm")]
    [InlineData("twelve-bits.dcm")]
    [InlineData("signed-big.dcm")]
    public void Values_are_pydicoms(string name)
    {
        using var scope = NewDisposeScope();
        var image = Dicom.Read(Path.Combine(Folder, name));
        Assert.Equal(name == "low-is-white.dcm", image.LowIsWhite);
        Close.Equal(Fixture.Expected("volumes")[name.StartsWith("MR", StringComparison.Ordinal) ? "MR_small.dcm" : name], image.Values);
    }

    [Fact]
    public void A_picture_goes_from_0_to_1_and_is_turned_round_where_low_is_white()
    {
        using var scope = NewDisposeScope();
        var expected = Fixture.Expected("volumes");
        foreach (var name in new[] { "MR_small.dcm", "low-is-white.dcm" })
        {
            var picture = Dicom.Read(Path.Combine(Folder, name)).ToImage();
            var values = expected[name];
            var part = (values - values.min()) / (values.max() - values.min());
            Close.Equal((name == "MR_small.dcm" ? part : 1 - part).unsqueeze(0), picture);
        }
        Assert.Equal(0, Dicom.Read(Blank(), "blank").ToImage().abs().max().item<float>());
    }

    // The pixels are at the end, 35 of them and one byte of padding.
    static byte[] Blank() => [.. OneByte[..^36], .. new byte[36]];

    static readonly byte[] OneByte = File.ReadAllBytes(Path.Combine(Folder, "low-is-white.dcm"));

    // The element (0028,0103), which stands before the pixels.
    static readonly byte[] Sign = [0x28, 0, 3, 1, (byte)'U', (byte)'S', 2, 0];

    static byte[] Replaced(string before, string after)
    {
        var content = (byte[])OneByte.Clone();
        Encoding(after).CopyTo(content, content.AsSpan().IndexOf(Encoding(before)));
        return content;
    }

    static byte[] Encoding(string text) => System.Text.Encoding.Latin1.GetBytes(text);

    // (0028,0100) and so on, explicit and little-endian: the tag, US, 2, and the value.
    static byte[] With(int element, byte value)
    {
        var content = (byte[])OneByte.Clone();
        byte[] start = [0x28, 0, (byte)element, (byte)(element >> 8), (byte)'U', (byte)'S', 2, 0];
        var at = content.AsSpan().LastIndexOf(start);
        content[at + 8] = value;
        return content;
    }

    public static TheoryData<byte[], string, string> Damaged => new()
    {
        { [], "without the mark DICM", "128 bytes" },
        { OneByte[128..], "without the mark DICM", "128 bytes" },
        { OneByte[..132], "no transfer syntax", "(0002,0010)" },
        { OneByte[..^1], "element (7FE0,0010) of 36 bytes with 35 left", "all of it" },
        { OneByte[..^48], "no pixels", "(7FE0,0010)" },
        { OneByte[..^38], "an end", "a whole element" },
        { With(0x0010, 6), "36 bytes of pixels", "6 × 7 pixels" },
        { With(0x0011, 0), "36 bytes of pixels", "5 × 0 pixels" },
        { With(0x0101, 9), "9 bits up to bit 7 of 8", "bits within a pixel" },
        { With(0x0103, 2), "sign 2", "sign 0 or 1" },
    };

    [Theory, MemberData(nameof(Damaged))]
    public void A_damaged_file_gets_its_name_what_was_found_and_what_was_expected(byte[] content, string found, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => Dicom.Read(content, "slice.dcm"));
        Assert.StartsWith("slice.dcm: found ", error.Message);
        Assert.Contains(found, error.Message);
        Assert.Contains(expected, error.Message);
    }

    public static TheoryData<byte[], string> Unsupported => new()
    {
        { File.ReadAllBytes(Path.Combine(Folder, "MR_small_RLE.dcm")), "1.2.840.10008.1.2.5 (run lengths)" },
        { Replaced("1.2.840.10008.1.2.1\0", "1.2.840.10008.1.2.9\0"), "'1.2.840.10008.1.2.9'" },
        { Replaced("MONOCHROME1", "RGB        "), "'RGB'" },
        { With(0x0002, 3), "3 samples" },
        { With(0x0100, 32), "32 bits a pixel" },
    };

    [Theory, MemberData(nameof(Unsupported))]
    public void What_it_cannot_read_is_named(byte[] content, string what)
    {
        var error = Assert.Throws<NotSupportedException>(() => Dicom.Read(content, "slice.dcm"));
        Assert.StartsWith("slice.dcm: found ", error.Message);
        Assert.Contains(what, error.Message);
    }

    [Fact]
    public void Several_frames_and_tables_of_grey_are_refused()
    {
        var at = OneByte.AsSpan().LastIndexOf(Sign);
        byte[] Instead(params byte[] element) => [.. OneByte[..at], .. element, .. OneByte[at..]];
        byte[] frames = [0x28, 0, 8, 0, (byte)'I', (byte)'S', 2, 0, (byte)'2', (byte)' '];
        byte[] table = [0x28, 0, 0, 0x30, (byte)'S', (byte)'Q', 0, 0, 0, 0, 0, 0];
        Assert.Contains("found 2 frames", Assert.Throws<NotSupportedException>(() => Dicom.Read(Instead(frames), "film")).Message);
        Assert.Contains("(0028,3000)", Assert.Throws<NotSupportedException>(() => Dicom.Read(Instead(table), "table")).Message);
        byte[] slope = [0x28, 0, 0x53, 0x10, (byte)'D', (byte)'S', 2, 0, (byte)'1', (byte)'A'];
        Assert.Contains("'1A' in element (0028,1053)", Assert.Throws<InvalidDataException>(() => Dicom.Read(Instead(slope), "slope")).Message);
    }

    [Fact]
    public void Sequences_that_never_end_are_not_followed()
    {
        byte[] nested = [0x08, 0, 0x12, 0x21, (byte)'S', (byte)'Q', 0, 0, 255, 255, 255, 255, 0xfe, 0xff, 0, 0xe0, 255, 255, 255, 255];
        var at = OneByte.AsSpan().LastIndexOf(Sign);
        byte[] content = [.. OneByte[..at], .. Enumerable.Repeat(nested, 100_000).SelectMany(bytes => bytes)];
        Assert.Contains("sequences 33 deep", Assert.Throws<InvalidDataException>(() => Dicom.Read(content, "deep")).Message);
    }

    [Fact]
    public void A_missing_and_an_empty_file_are_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("none.dcm", Assert.Throws<FileNotFoundException>(() => Dicom.Read(folder["none.dcm"])).Message);
        Assert.Contains("empty.dcm", Assert.Throws<InvalidDataException>(() => Dicom.Read(folder.Write("empty.dcm", []))).Message);
    }

    [Fact]
    public void Mutated_files_see_only_the_documented_exceptions()
    {
        string[] small = ["low-is-white.dcm", "twelve-bits.dcm", "signed-big.dcm"];
        var mutations = new Mutations(19, [.. small.Select(name => File.ReadAllBytes(Path.Combine(Folder, name)))],
            ["DICM", "\xff\xff\xff\xff", "\xfe\xff\0\xe0", "\xfe\xff\x0d\xe0", "\xfe\xff\xdd\xe0", "SQ\0\0", "UN\0\0", "OB\0\0", "US\x02\0", "\xe0\x7f\x10\0", "\x28\0\x10\0", "1.2.840.10008.1.2.2\0", "MONOCHROME2", "\0\0\0\0"]);
        mutations.AreLoadedOrRefused("mutated.dcm", allowance: 50_000, read: bytes =>
        {
            try
            {
                Dicom.Read(bytes, "mutated.dcm");
            }
            catch (NotSupportedException error)
            {
                throw new InvalidDataException(error.Message);
            }
        });
    }
}
