using System.Buffers.Binary;
using Vit.Data;

namespace Vit.Tests.Data;

public class IdxFileTests
{
    static readonly byte[] Images = Idx.File([.. Enumerable.Range(0, 24).Select(i => (byte)i)], 2, 3, 4);

    [Fact]
    public void Any_shape_comes_back_plain_and_zipped() =>
        Gen.Select(Gen.Int[1, 4].Array[1, 4], Gen.Bool, Gen.Int).Sample((shape, zip, seed) =>
        {
            var data = new byte[shape.Aggregate((a, b) => a * b)];
            new Random(seed).NextBytes(data);
            var file = Idx.File(data, shape);

            using var read = IdxFile.Read(new MemoryStream(zip ? Idx.Zip(file) : file), "any", shape.Length);

            Assert.Equal(shape.Select(n => (long)n), read.shape);
            Assert.Equal(TorchSharp.torch.ScalarType.Byte, read.dtype);
            Assert.Equal(data, read.flatten().data<byte>());
        });

    [Fact]
    public void A_file_is_read_by_its_content_not_its_name()
    {
        using var folder = new TemporaryFolder();
        using var read = IdxFile.Read(folder.Write("images.txt", Idx.Zip(Images)), 3);
        Assert.Equal([2L, 3, 4], read.shape);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var path = Path.Combine(Path.GetTempPath(), "no-such-file.gz");
        Assert.Contains(path, Assert.Throws<FileNotFoundException>(() => IdxFile.Read(path, 3)).Message);
    }

    public static TheoryData<byte[], string, string> Damaged() => new()
    {
        { [], "0 bytes", "header of 16 bytes" },
        { Images[..10], "10 bytes", "header of 16 bytes" },
        { Images[..^1], "39 bytes", "40 for dimensions [2, 3, 4]" },
        { [.. Images, 0], "41 bytes", "40 for dimensions [2, 3, 4]" },
        { [0x89, (byte)'P', .. Images[2..]], "begins with 89500803", "begins with 00000803" },
        { [0, 0, 0x0d, .. Images[3..]], "element type 0x0D", "0x08 (unsigned byte)" },
        { [0, 0, 8, 1, .. Images[4..]], "1 dimensions", "expected 3" },
        { Idx.File([], 0, 3, 4), "dimension 0 of 0", "1 or more" },
        { Idx.File([], -1, -1, -1), "dimension 0 of 4294967295", $"at most {IdxFile.MaxElements} elements" },
        { Idx.File([], 65536, 65536, 65536), "dimension 1 of 65536", $"at most {IdxFile.MaxElements} elements" },
        { Idx.File(new byte[100], 1000, 1000, 1000), "116 bytes", "1000000016 for dimensions [1000, 1000, 1000]" },
        { Idx.Zip(Images)[..12], "12 bytes", "at least 18 bytes" },
        { Idx.Zip(Images[..^1]), "39 bytes", "40 for dimensions [2, 3, 4]" },
        { Idx.Zip([.. Images, 0]), "41 bytes", "40 for dimensions [2, 3, 4]" },
        { Announcing(Idx.Zip([.. Images, 1, 2, 3]), Images.Length), "found", "expected" },
        { Announcing(Idx.Zip(Images[..^3]), Images.Length), "found", "expected" },
        { Announcing(Idx.Zip(Images), uint.MaxValue), "announces 4294967295", "at most" },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void A_damaged_file_gets_its_name_what_was_found_and_what_was_expected(byte[] content, string found, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => IdxFile.Read(new MemoryStream(content), "pictures.gz", 3));
        Assert.StartsWith("pictures.gz: found ", error.Message);
        Assert.Contains(found, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void A_hundred_thousand_mutated_files_see_only_the_documented_exception()
    {
        byte[][] files = [Images, Idx.Zip(Images), Idx.File([1, 2, 3, 4, 5], 5), Idx.Zip(Idx.File(new byte[300], 3, 10, 10))];
        var random = new Random(1);
        var (read, refused) = (0, 0);
        for (var i = 0; i < 100_000; i++)
        {
            var content = Mutated(files[i % files.Length], random);
            try
            {
                IdxFile.Read(new MemoryStream(content), "mutated", i % files.Length == 2 ? 1 : 3).Dispose();
                read++;
            }
            catch (InvalidDataException error) when (error.Message.StartsWith("mutated: found ", StringComparison.Ordinal))
            {
                refused++;
            }
        }
        // Both ways out were taken, so the mutations neither miss the file nor destroy it each time.
        Assert.InRange(read, 1_000, 99_000);
        Assert.Equal(100_000, read + refused);
    }

    static byte[] Mutated(byte[] file, Random random)
    {
        var content = (byte[])file.Clone();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = random.Next(content.Length);
            switch (random.Next(5))
            {
                case 0:
                    content[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    content[at] = (byte)random.Next(256);
                    break;
                case 2:
                    content = content[..Math.Max(1, at)];
                    break;
                case 3:
                    content = [.. content[..at], (byte)random.Next(256), .. content[at..]];
                    break;
                default:
                    content = [.. content, .. content[at..]];
                    break;
            }
        }
        return content;
    }

    static byte[] Announcing(byte[] zipped, long length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(zipped.AsSpan(zipped.Length - 4), (uint)length);
        return zipped;
    }
}
