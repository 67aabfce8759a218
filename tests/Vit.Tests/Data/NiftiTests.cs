using System.Buffers.Binary;
using Vit.Data;
using Vit.Tests.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public sealed class NiftiTests
{
    static readonly string Folder = Path.Combine(Fixture.Root, "volumes");

    public static TheoryData<string, string?> Files => new()
    {
        { "uint8-ras.nii", "RAS" },
        { "int16-las.nii.gz", "LAS" },
        { "int16-big-turned.nii", "ILP" },
        { "uint16-tilted.nii.gz", "RAS" },
        { "int32-big-mirrored.nii", "RAI" },
        { "float32-4d.nii.gz", "ILP" },
        { "float64-big.nii.gz", "LAS" },
        { "int8-untold.nii", null },
        { "uint32-zero-slope.nii", "RAS" },
    };

    [Theory, MemberData(nameof(Files))]
    public void Voxels_and_place_are_nibabels(string name, string? axes)
    {
        using var scope = NewDisposeScope();
        var expected = Fixture.Expected("volumes");
        var volume = Nifti.Read(Path.Combine(Folder, name));
        Assert.Equal(axes, volume.StoredAxes);
        Assert.True(volume.Voxels.is_contiguous());
        Assert.Equal(ScalarType.Float32, volume.Voxels.dtype);
        Close.Equal(expected[name], volume.Voxels, 1e-5 * Math.Max(1, expected[name].abs().max().item<float>()));
        if (axes is not null)
            Close.Equal(expected[$"{name}.affine"], tensor(volume.Affine));
    }

    [Fact]
    public void Every_file_there_is_tested() =>
        Assert.Equal(Files.Select(row => row.Data.Item1).Order(), Directory.GetFiles(Folder, "*.nii*").Select(file => Path.GetFileName(file)!).Order());

    [Fact]
    public void Voxels_have_their_size_along_the_bodys_axes()
    {
        // Stored from head to foot, right to left and front to back, 2, 1.5 and 1 mm long.
        var size = Nifti.Read(Path.Combine(Folder, "int16-big-turned.nii")).VoxelSize;
        Assert.Equal([1.5, 1, 2], size.Select(mm => Math.Round(mm, 6)));
        Assert.Equal([2, 2, 3], Nifti.Read(Path.Combine(Folder, "int8-untold.nii")).VoxelSize);
    }

    [Fact]
    public void A_volume_turned_in_any_of_48_ways_comes_back_as_it_was() =>
        Gen.Select(Gen.Shuffle(new[] { 0, 1, 2 }), Gen.Bool.Array[3], Gen.Int[1, 4].Array[3], Gen.Bool).Sample((order, backward, size, big) =>
        {
            using var scope = NewDisposeScope();
            var body = arange(size.Aggregate((a, b) => a * b), ScalarType.Float32).reshape([.. size.Select(n => (long)n)]);
            // Axis i of the file runs along the body's axis order[i], or against it.
            var stored = body.permute([.. order.Select(i => (long)i)]);
            var affine = new float[12];
            for (var i = 0; i < 3; i++)
            {
                if (backward[i])
                    stored = stored.flip(i);
                affine[4 * order[i] + i] = backward[i] ? -1 : 1;
                affine[4 * order[i] + 3] = backward[i] ? size[order[i]] - 1 : 0;
            }
            var volume = Nifti.Read(new MemoryStream(File(stored, affine, big)), "turned");
            Assert.Equal(body.shape, volume.Voxels.shape);
            Assert.Equal(body.data<float>().ToArray(), volume.Voxels.data<float>().ToArray());
            Assert.Equal(string.Concat(order.Select((axis, i) => (backward[i] ? "LPI" : "RAS")[axis])), volume.StoredAxes);
            Close.Equal(eye(4), tensor(volume.Affine));
        });

    static byte[] File(Tensor stored, float[] affine, bool big)
    {
        var voxels = stored.permute(2, 1, 0).contiguous().data<float>().ToArray();
        var file = new byte[352 + 4 * voxels.Length];
        void Short(int at, int value) => (big ? (Action<Span<byte>, short>)BinaryPrimitives.WriteInt16BigEndian : BinaryPrimitives.WriteInt16LittleEndian)(file.AsSpan(at), (short)value);
        void Float(int at, float value) => (big ? (Action<Span<byte>, float>)BinaryPrimitives.WriteSingleBigEndian : BinaryPrimitives.WriteSingleLittleEndian)(file.AsSpan(at), value);
        Short(big ? 2 : 0, 348);
        Short(40, 3);
        for (var i = 0; i < 3; i++)
            Short(42 + 2 * i, (int)stored.shape[i]);
        Short(70, 16);
        Short(72, 32);
        Float(108, 352);
        Short(254, 1);
        for (var i = 0; i < 12; i++)
            Float(280 + 4 * i, affine[i]);
        "n+1\0"u8.CopyTo(file.AsSpan(344));
        for (var i = 0; i < voxels.Length; i++)
            Float(352 + 4 * i, voxels[i]);
        return file;
    }

    static readonly byte[] Valid = System.IO.File.ReadAllBytes(Path.Combine(Folder, "uint8-ras.nii"));

    static byte[] With(int at, params byte[] bytes) => [.. Valid[..at], .. bytes, .. Valid[(at + bytes.Length)..]];

    static byte[] WithFloat(int at, float value) => With(at, BitConverter.GetBytes(value));

    public static TheoryData<byte[], string, string> Damaged => new()
    {
        { [], "0 bytes", "at least 352" },
        { Valid[..351], "351 bytes", "at least 352" },
        { Valid[..^1], "60 voxels of 1 bytes from byte 352 in a file of 411", "room for all voxels" },
        { With(0, 1, 0), "a header of 1 bytes", "348" },
        { With(344, (byte)'x'), "the mark 782B3100", "n+1" },
        { With(40, 2), "2 dimensions", "3 or 4" },
        { With(40, 8), "8 dimensions", "3 or 4" },
        { With(42, 0), "dimensions [0, 4, 5]", "1 or more" },
        { With(42, 255, 255), "dimensions [-1, 4, 5]", "1 or more" },
        { With(42, 255, 127, 255, 127, 255, 127), "dimensions [32767, 32767, 32767]", $"at most {Nifti.MaxVoxels} voxels" },
        { With(40, 5, 0, 3, 0, 4, 0, 1, 0, 1, 0, 5, 0), "dimensions [3, 4, 1, 1, 5]", "3 or 4" },
        { With(70, 3), "voxels of type 3", "2, 4, 8, 16" },
        { With(72, 16), "16 bits for a voxel of type 2", "8" },
        { WithFloat(108, 351), "from byte 351", "352 or more" },
        { WithFloat(108, 352.5f), "from byte 352.5", "whole offset" },
        { WithFloat(108, float.NaN), "from byte NaN", "352 or more" },
        { WithFloat(108, 1e30f), "from byte 1.0", "room for all voxels" },
        { [.. WithFloat(112, 2)[..116], .. BitConverter.GetBytes(float.NaN), .. Valid[120..]], "a scale of 2 with an offset of NaN", "finite" },
        { WithFloat(280, float.PositiveInfinity), "not finite", "finite numbers" },
        { WithFloat(280, 0), "an axis 0 without length", "three axes" },
        { [.. With(252, 1, 0, 0, 0)[..256], .. BitConverter.GetBytes(2f), .. Valid[260..]], "the quaternion 2, 0, 0", "length 1" },
        { Idx.Zip(Valid)[..17], "17 bytes", "at least 18 bytes" },
        { Idx.Zip(Valid)[..^40], "found", "expected" },
    };

    [Theory, MemberData(nameof(Damaged))]
    public void A_damaged_file_gets_its_name_what_was_found_and_what_was_expected(byte[] content, string found, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => Nifti.Read(new MemoryStream(content), "head.nii"));
        Assert.StartsWith("head.nii: found ", error.Message);
        Assert.Contains(found, error.Message);
        Assert.Contains(expected, error.Message);
    }

    public static TheoryData<byte[], string> Unsupported => new()
    {
        { With(0, 28, 2), "NIfTI-2" },
        { With(344, [.. "ni1"u8]), "a pair of files" },
        { With(70, 128), "RGB" },
        { With(70, 32), "complex" },
    };

    [Theory, MemberData(nameof(Unsupported))]
    public void What_it_cannot_read_is_named(byte[] content, string what)
    {
        var error = Assert.Throws<NotSupportedException>(() => Nifti.Read(new MemoryStream(content), "head.nii"));
        Assert.StartsWith("head.nii: found ", error.Message);
        Assert.Contains(what, error.Message);
    }

    [Fact]
    public void A_missing_and_an_empty_file_are_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("none.nii", Assert.Throws<FileNotFoundException>(() => Nifti.Read(folder["none.nii"])).Message);
        Assert.Contains("empty.nii", Assert.Throws<InvalidDataException>(() => Nifti.Read(folder.Write("empty.nii", []))).Message);
    }

    [Fact]
    public void Mutated_files_see_only_the_documented_exceptions()
    {
        byte[][] valid = [.. Files.Select(row => System.IO.File.ReadAllBytes(Path.Combine(Folder, row.Data.Item1)))];
        var mutations = new Mutations(19, valid, ["n+1\0", "ni1\0", "\0\0\x80\x7f", "\xff\xff", "\xff\x7f\xff\x7f", "\0\0\0\0\0\0\0\0", "\x1f\x8b\x08\0", "\0\x01\0\x02", "\x10\0\x20\0", "\0\x04\0\x08"]);
        // The allowance: gzip's buffers, and the chunk in which voxels are read.
        mutations.AreLoadedOrRefused("mutated.nii", allowance: 200_000, read: bytes =>
        {
            try
            {
                Nifti.Read(new MemoryStream(bytes), "mutated.nii");
            }
            catch (NotSupportedException error)
            {
                throw new InvalidDataException(error.Message);
            }
        });
    }
}
