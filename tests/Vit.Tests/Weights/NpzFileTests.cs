using System.IO.Compression;
using System.Text;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Weights;

public sealed class NpzFileTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_papers_checkpoint_is_read()
    {
        using var scope = NewDisposeScope();
        var arrays = Load(Path.Combine(Fixture.Root, "jax", "model.npz"));
        Assert.Equal(8 + 3 * 16, arrays.Count);
        Assert.Equal([8, 8, 3, 48], arrays["embedding/kernel"].shape);
        // The same weights as timm's, in JAX's order of dimensions.
        using var timm = new SafeTensorsFile(Path.Combine(Fixture.Root, "timm", "model.safetensors"));
        SameBits.Assert(timm.Read("patch_embed.proj.weight"), arrays["embedding/kernel"].permute(3, 2, 0, 1));
    }

    public static TheoryData<string, ScalarType, byte[], double[]> Types => new()
    {
        { "<f4", ScalarType.Float32, [0, 0, 192, 63, 0, 0, 0, 192], [1.5, -2] },
        { "<f2", ScalarType.Float16, [0, 62, 0, 192], [1.5, -2] },
        { "|V2", ScalarType.BFloat16, [192, 63, 0, 192], [1.5, -2] },
        { "<f8", ScalarType.Float64, [0, 0, 0, 0, 0, 0, 248, 63, 0, 0, 0, 0, 0, 0, 0, 192], [1.5, -2] },
        { "<i8", ScalarType.Int64, [1, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255], [1, -2] },
        { "<i4", ScalarType.Int32, [1, 0, 0, 0, 254, 255, 255, 255], [1, -2] },
        { "|u1", ScalarType.Byte, [1, 254], [1, 254] },
        { "|b1", ScalarType.Bool, [1, 0], [1, 0] },
    };

    [Theory, MemberData(nameof(Types))]
    public void Every_type_is_read(string descr, ScalarType type, byte[] data, double[] values)
    {
        using var scope = NewDisposeScope();
        var tensor = Load(File("t.npz", ("a.npy", Npy(descr, "(2,)", data))))["a"];
        Assert.Equal(type, tensor.dtype);
        Assert.Equal(values, tensor.to(ScalarType.Float64).data<double>().ToArray());
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public void Every_version_is_read(byte version)
    {
        using var scope = NewDisposeScope();
        Assert.Equal([2], Load(File("v.npz", ("a.npy", Npy("|u1", "(2,)", [1, 2], version: version))))["a"].shape);
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression), InlineData(CompressionLevel.Optimal)]
    public void Fortran_order_is_turned_round(CompressionLevel level)
    {
        using var scope = NewDisposeScope();
        // [[1, 2, 3], [4, 5, 6]], column by column.
        var tensor = Load(File("f.npz", level, ("a.npy", Npy("|u1", "(2, 3)", [1, 4, 2, 5, 3, 6], fortran: true))))["a"];
        Assert.True(tensor.is_contiguous());
        Assert.Equal([1, 2, 3, 4, 5, 6], tensor.bytes.ToArray());
        Assert.Equal([2, 3], tensor.shape);
    }

    [Fact]
    public void Scalars_and_empty_arrays_are_read()
    {
        using var scope = NewDisposeScope();
        var arrays = Load(File("s.npz", ("scalar.npy", Npy("|u1", "()", [7])), ("empty.npy", Npy("<f4", "(3, 0)", []))));
        Assert.Equal([], arrays["scalar"].shape);
        Assert.Equal(7, arrays["scalar"].item<byte>());
        Assert.Equal([3, 0], arrays["empty"].shape);
    }

    public static TheoryData<byte[], string> Hostile => new()
    {
        { Npy("|u1", "(3,)", [1, 2]), "takes 3 bytes, and its entry has 2" },
        { Npy("|u1", "(1,)", [1, 2]), "takes 1 bytes, and its entry has 2" },
        { Npy("|u1", "(4294967296, 4294967296)", [1]), "more elements than can be counted" },
        { Npy("|u1", "(0, 4294967296, 4294967296)", []), "more elements than can be counted" },
        { Npy("|u1", "(99999999999999999999,)", [1]), "more elements than can be counted" },
        { Npy("|u1", "(-1,)", [1]), "not as NumPy writes it" },
        { Npy("|u1", "(1, 1", [1]), "not as NumPy writes it" },
        { Npy("|u1", "(" + string.Concat(Enumerable.Repeat("1, ", 64)) + "1)", [1]), "65 dimensions" },
        { Npy(">f4", "(1,)", [1, 2, 3, 4]), "'>f4' is none of" },
        { Npy("|O", "(1,)", [1]), "pickled Python objects" },
        { Npy("|u1", "(1,)", [1], version: 4), "version 4" },
        { Npy("|u1", "(1,)" + new string(' ', 10_000), [1], version: 2), "NumPy reads at most" },
        { "PNG"u8.ToArray().Concat(new byte[9]).ToArray(), "does not start as a .npy file" },
        { [], "end of the stream" },
    };

    [Theory, MemberData(nameof(Hostile))]
    public void A_hostile_array_is_told_by_file_and_name(byte[] npy, string says)
    {
        var message = Assert.Throws<InvalidDataException>(() => Load(File("hostile.npz", ("a/b.npy", npy)))).Message;
        Assert.Contains("hostile.npz, array 'a/b.npy'", message);
        Assert.Contains(says, message);
    }

    [Fact]
    public void A_zip_bomb_is_not_unfolded()
    {
        var zeros = new byte[64 << 20];
        var path = File("bomb.npz", CompressionLevel.Optimal, ("a.npy", Npy("|u1", $"({zeros.Length},)", zeros)));
        Assert.Contains("more than 4 times", Assert.Throws<InvalidDataException>(() => Load(path)).Message);
    }

    [Fact]
    public void Names_must_be_arrays_and_different()
    {
        var one = Npy("|u1", "(1,)", [1]);
        Assert.Contains("array 'readme.txt': it is no .npy entry", Assert.Throws<InvalidDataException>(() => Load(File("n.npz", ("readme.txt", one)))).Message);
        Assert.Contains("array 'a.npy': it stands there twice", Assert.Throws<InvalidDataException>(() => Load(File("n.npz", ("a.npy", one), ("a.npy", one)))).Message);
    }

    [Fact]
    public void What_is_no_zip_is_told()
    {
        Assert.Contains("no.npz", Assert.Throws<InvalidDataException>(() => Load(folder.Write("no.npz", "not a zip"u8))).Message);
        Assert.Throws<FileNotFoundException>(() => Load(folder["missing.npz"]));
    }

    [Fact]
    public void Damaged_files_get_InvalidDataException_and_nothing_else()
    {
        (string, byte[])[] arrays = [("a.npy", Npy("<f4", "(2, 3)", new byte[24], fortran: true)), ("b/c.npy", Npy("|u1", "(2,)", [1, 2]))];
        string[] fragments =
            ["0", "-1", "99999999999999999999", "(", ")", ",", "'", "True", "<f4", ">f8", "|O", "PK\u0001\u0002", "PK\u0003\u0004", "PK\u0005\u0006", "PK\u0006\u0006", "PK\u0006\u0007",
             "\u0093NUMPY", "\0\0\0\0\0\0\0\0", "\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\x7f", "\u0001\0\u0008\0"];
        var mutations = new Mutations(5,
            [Bytes(File("stored.npz", CompressionLevel.NoCompression, arrays)), Bytes(File("deflated.npz", CompressionLevel.Optimal, arrays))], fragments);
        // The allowance is ZipArchive's own, of which its buffers are the most.
        mutations.AreLoadedOrRefused("mutated.npz", allowance: 1_000_000, read: bytes =>
        {
            using var file = new NpzFile(new MemoryStream(bytes), "mutated.npz");
            file.ReadAll();
        });
    }

    static Dictionary<string, Tensor> Load(string path)
    {
        using var file = TensorFile.Open(path);
        return file.ReadAll();
    }

    static byte[] Bytes(string path) => System.IO.File.ReadAllBytes(path);

    string File(string name, params (string Name, byte[] Content)[] entries) => File(name, CompressionLevel.NoCompression, entries);

    string File(string name, CompressionLevel level, params (string Name, byte[] Content)[] entries)
    {
        using var stream = System.IO.File.Create(folder[name]);
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create);
        foreach (var entry in entries)
        {
            using var content = zip.CreateEntry(entry.Name, level).Open();
            content.Write(entry.Content);
        }
        return folder[name];
    }

    static byte[] Npy(string descr, string shape, byte[] data, bool fortran = false, byte version = 1)
    {
        var header = $"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n";
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)header.Length) : BitConverter.GetBytes(header.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. Encoding.Latin1.GetBytes(header), .. data];
    }
}
