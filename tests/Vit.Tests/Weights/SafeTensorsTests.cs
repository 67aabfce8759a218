using System.Buffers.Binary;
using System.Text;
using Vit.Data;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Weights;

public sealed class SafeTensorsTests : IDisposable
{
    static readonly ScalarType[] EveryType =
        [ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float64, ScalarType.Int64, ScalarType.Int32, ScalarType.Byte, ScalarType.Bool];

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Fixtures =>
        [.. Directory.GetFiles(Fixture.Root, "*.safetensors", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Fixture.Root, path)).Order()];

    [Theory, MemberData(nameof(Fixtures))]
    public void Every_fixture_makes_the_round_trip_bit_for_bit(string fixture)
    {
        using var scope = NewDisposeScope();
        using var before = new SafeTensorsFile(Path.Combine(Fixture.Root, fixture));
        SafeTensors.Save(folder["copy.safetensors"], SafeTensors.Load(Path.Combine(Fixture.Root, fixture)), before.Metadata);

        using var after = new SafeTensorsFile(folder["copy.safetensors"]);
        Assert.Equal(before.Tensors.Keys, after.Tensors.Keys);
        Assert.Equal(before.Metadata, after.Metadata);
        foreach (var name in before.Tensors.Keys)
            SameBits.Assert(before.Read(name), after.Read(name));
    }

    [Fact]
    public void Any_types_shapes_and_names_make_the_round_trip()
    {
        var shape = Gen.Long[0, 5].Array[0, 4];
        var tensors = Gen.Select(Gen.OneOf(EveryType), shape, Gen.Int).Array[0, 6];
        Gen.Select(tensors, Gen.String).Sample((tensors, prefix) =>
        {
            using var scope = NewDisposeScope();
            // A lone half of a surrogate pair has no UTF-8, so no file can hold it.
            var clean = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(prefix));
            var named = tensors.Select((it, i) => KeyValuePair.Create($"{clean}{i}", RandomBits(it.Item1, it.Item2, it.Item3))).ToList();
            SafeTensors.Save(folder["any.safetensors"], named);
            var loaded = SafeTensors.Load(folder["any.safetensors"]);
            Assert.Equal(named.Select(pair => pair.Key).Order(), loaded.Keys.Order());
            foreach (var (name, tensor) in named)
                SameBits.Assert(tensor, loaded[name]);
        }, iter: 500, threads: 1);
    }

    [Fact]
    public void A_view_is_saved_as_it_looks()
    {
        using var scope = NewDisposeScope();
        var transposed = arange(6).reshape(2, 3).t();
        SafeTensors.Save(folder["view.safetensors"], new Dictionary<string, Tensor> { ["view"] = transposed });
        SameBits.Assert(transposed.contiguous(), SafeTensors.Load(folder["view.safetensors"])["view"]);
    }

    [Fact]
    public void Names_shapes_and_metadata_come_without_loading()
    {
        using var scope = NewDisposeScope();
        SafeTensors.Save(folder["a.safetensors"], new Dictionary<string, Tensor> { ["w"] = zeros(2, 3) }, new Dictionary<string, string> { ["format"] = "pt" });
        using var file = new SafeTensorsFile(folder["a.safetensors"]);
        var (name, stored) = Assert.Single(file.Tensors);
        Assert.Equal("w", name);
        Assert.Equal(ScalarType.Float32, stored.Type);
        Assert.Equal([2, 3], stored.Shape);
        Assert.Equal(24, stored.Length);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Contains("'v'", Assert.Throws<KeyNotFoundException>(() => file.Read("v")).Message);
    }

    [Fact]
    public void The_data_of_every_type_is_aligned()
    {
        using var scope = NewDisposeScope();
        SafeTensors.Save(folder["mixed.safetensors"], EveryType.Select(type => KeyValuePair.Create($"{type}", ones(3, type))));
        using var file = new SafeTensorsFile(folder["mixed.safetensors"]);
        Assert.All(file.Tensors.Values, stored => Assert.Equal(0, stored.Start % (stored.Length / 3)));
    }

    [Fact]
    public void A_failed_save_leaves_what_stood_there()
    {
        folder.Write("model.safetensors", "the one before"u8);
        Assert.Throws<IOException>(() => WholeFile.Write(folder["model.safetensors"], stream =>
        {
            stream.Write("half of the one aft"u8);
            throw new IOException("disk full");
        }));
        Assert.Equal("the one before", File.ReadAllText(folder["model.safetensors"]));
        Assert.Equal(["model.safetensors"], folder.Files);
    }

    [Fact]
    public void What_the_format_cannot_hold_is_refused()
    {
        using var scope = NewDisposeScope();
        void Save(params (string, Tensor)[] tensors) => SafeTensors.Save(folder["no.safetensors"], tensors.Select(it => KeyValuePair.Create(it.Item1, it.Item2)));
        Assert.Contains("ComplexFloat32", Assert.Throws<ArgumentException>(() => Save(("c", zeros(1, ScalarType.ComplexFloat32)))).Message);
        Assert.Contains("'twice'", Assert.Throws<ArgumentException>(() => Save(("twice", ones(1)), ("twice", ones(1)))).Message);
        Assert.Contains("'__metadata__'", Assert.Throws<ArgumentException>(() => Save(("__metadata__", ones(1)))).Message);
        Assert.Empty(folder.Files);
    }

    [Theory]
    [InlineData("model.pth"), InlineData("model.pt"), InlineData("pytorch_model.bin"), InlineData("MODEL.PTH"), InlineData("a.ckpt")]
    public void A_pickled_file_is_never_opened(string name)
    {
        // The file does not exist: the name alone is enough.
        var message = Assert.Throws<InvalidDataException>(() => SafeTensors.Load(folder[name])).Message;
        Assert.Contains(name, message);
        Assert.Contains("runs whatever code", message);
        Assert.Contains(".safetensors", message);
    }

    [Fact]
    public void A_file_that_is_cut_while_it_is_read_is_told()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        stream.Write(SmallFile([ScalarType.Float32]));
        stream.Position = 0;
        using var file = new SafeTensorsFile(stream, "cut.safetensors");
        stream.SetLength(stream.Length - 1);
        foreach (var read in (Action[])[() => file.Read("t0"), () => file.ReadInto("t0", zeros(2, 1))])
            Assert.Contains("cut.safetensors, tensor 't0'", Assert.Throws<InvalidDataException>(read).Message);
    }

    const string F32x2 = """{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""";

    public static TheoryData<string, string, string?> Hostile => new()
    {
        // header, what the message says, the tensor that it names
        { "[]", "not a JSON object", null },
        { "", "not a JSON object", null },
        { "{", "no valid JSON", null },
        { """{} {}""", "no valid JSON", null },
        { """{"a":[[[[[[[[]]]]]]]]}""", "no JSON object", "a" },
        { """{"a":{"dtype":{"b":{"c":{}}}}}""", "dtype is no string", "a" },
        { """{"a":{"shape":[[[[1]]]]}}""", "whole numbers", "a" },
        { """{"\ud800":1}""", "no valid JSON", null },
        { """{"a":1}""", "no JSON object", "a" },
        { "{\"a\":" + F32x2 + ",\"a\":" + F32x2 + "}", "twice", "a" },
        { """{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "twice", "a" },
        { """{"a":{"shape":[2],"data_offsets":[0,8]}}""", "dtype is missing", "a" },
        { """{"a":{"dtype":"F32","data_offsets":[0,8]}}""", "shape is missing", "a" },
        { """{"a":{"dtype":"F32","shape":[2]}}""", "data_offsets is missing", "a" },
        { "{\"a\":{\"x\":" + new string('[', 100) + new string(']', 100) + "}}", "no valid JSON", null },
        { """{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}""", "'Q4' is none of", "a" },
        { """{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "whole numbers", "a" },
        { """{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "whole numbers", "a" },
        { """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", "whole numbers", "a" },
        { """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", "more elements than can be counted", "a" },
        { """{"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,8]}}""", "more elements than can be counted", "a" },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "takes 12 bytes", "a" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "no range", "a" },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "no range", "a" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", "more than 2 numbers", "a" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "have 1 numbers", "a" },
        { "{\"a\":" + F32x2 + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "inside", "b" },
        { """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "gap", "b" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "belong to no tensor", null },
        { """{"__metadata__":{"format":1}}""", "'format' is no string", null },
        { """{"__metadata__":{"format":"pt","format":"pt"}}""", "'format' twice", null },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[" + string.Join(',', Enumerable.Repeat(1, 65)) + "],\"data_offsets\":[0,4]}}", "more than 64", "a" },
    };

    /// <summary>The format's own reader passes over both.</summary>
    [Theory]
    [InlineData("""{"__metadata__":null,"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""")]
    [InlineData("""{"a":{"strides":[1,{"b":[]}],"dtype":"F32","note":null,"shape":[2],"data_offsets":[0,8]}}""")]
    public void Unknown_keys_and_metadata_of_null_are_passed_over(string header)
    {
        folder.Write("odd.safetensors", WithHeader(header));
        Assert.Equal([2], Assert.Single(SafeTensors.Load(folder["odd.safetensors"])).Value.shape);
    }

    [Theory, MemberData(nameof(Hostile))]
    public void A_hostile_header_is_told_by_file_and_tensor(string header, string says, string? tensor)
    {
        folder.Write("hostile.safetensors", WithHeader(header));
        var message = Assert.Throws<InvalidDataException>(() => SafeTensors.Load(folder["hostile.safetensors"])).Message;
        Assert.Contains("hostile.safetensors", message);
        Assert.Contains(says, message);
        if (tensor is not null)
            Assert.Contains($"tensor '{tensor}'", message);
    }

    [Theory]
    [InlineData(0, "has 0 bytes")]
    [InlineData(7, "has 7 bytes")]
    [InlineData(12, "claims 50 bytes, and 4 follow")]
    public void A_truncated_file_says_what_is_missing(int length, string says)
    {
        folder.Write("short.safetensors", WithHeader("{}".PadRight(50)).AsSpan(0, length));
        Assert.Contains(says, Assert.Throws<InvalidDataException>(() => SafeTensors.Load(folder["short.safetensors"])).Message);
    }

    [Theory]
    [InlineData(100_000_001UL), InlineData(ulong.MaxValue), InlineData(1UL << 63)]
    public void A_huge_header_length_allocates_nothing(ulong claimed)
    {
        var bytes = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, claimed);
        folder.Write("huge.safetensors", bytes);
        Assert.Contains($"claims {claimed} bytes", Assert.Throws<InvalidDataException>(() => SafeTensors.Load(folder["huge.safetensors"])).Message);
    }

    [Fact]
    public void Damaged_files_get_InvalidDataException_and_nothing_else()
    {
        string[] fragments =
            ["0", "-1", "1e9", "9223372036854775807", "18446744073709551616", "[", "]", "{", "}", "\"", ",", "\\ud800", "null", "true", "\"F32\"", "\"BOOL\"",
             "\"shape\":", "\"dtype\":", "\"data_offsets\":", "__metadata__", "\"a\":{}", "[[[[[[[[", "\0\0\0\0\0\0\0\0", "\xff\xff\xff\xff\xff\xff\xff\x7f"];
        var mutations = new Mutations(5, [SmallFile(EveryType), SmallFile([ScalarType.Float32]), SmallFile([ScalarType.Byte, ScalarType.Int64])], fragments);
        // The allowance is the exception and its stack.
        mutations.AreLoadedOrRefused("mutated.safetensors", allowance: 64_000, read: bytes =>
        {
            using var file = new SafeTensorsFile(new MemoryStream(bytes), "mutated.safetensors");
            var tensors = file.ReadAll();
            Assert.True(tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size()) <= bytes.Length);
        });
    }

    [Fact]
    public void A_checkpoint_in_several_files_is_one()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (rand(2, 2), rand(3));
        SafeTensors.Save(folder["model-1.safetensors"], new Dictionary<string, Tensor> { ["a"] = a });
        SafeTensors.Save(folder["model-2.safetensors"], new Dictionary<string, Tensor> { ["b"] = b });
        var loaded = SafeTensors.Load(Index("""{"metadata":{"total_size":28},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}"""));
        Assert.Equal(["a", "b"], loaded.Keys.Order());
        SameBits.Assert(a, loaded["a"]);
        SameBits.Assert(b, loaded["b"]);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../model.safetensors"}}""", "no file of the index's own folder")]
    [InlineData("""{"weight_map":{"a":"..\\model.safetensors"}}""", "no file of the index's own folder")]
    [InlineData("""{"weight_map":{"a":"C:model.safetensors"}}""", "no file of the index's own folder")]
    [InlineData("""{"weight_map":{"a":null}}""", "no file of the index's own folder")]
    [InlineData("""{"weight_map":{"a":1}}""", "no file of the index's own folder")]
    [InlineData("""{"weight_map":{"a":"model.bin"}}""", "pickled")]
    [InlineData("""{"weight_map":{"a":"model.safetensors","a":"model.safetensors"}}""", "no valid JSON")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""", "no valid JSON")]
    [InlineData("""{"weight_map":{"\ud800":"model.safetensors"}}""", "no valid JSON")]
    [InlineData("""{"weight_map":[]}""", "is no index")]
    [InlineData("""{}""", "is no index")]
    [InlineData("""[]""", "is no index")]
    [InlineData("""{"weight_map":{"b":"model.safetensors"}}""", "'b': model.safetensors does not hold it")]
    [InlineData("""{"weight_map":{"a":"two.safetensors"}}""", "holds 'b', and the index does not say so")]
    public void A_hostile_index_is_told(string index, string says)
    {
        using var scope = NewDisposeScope();
        SafeTensors.Save(folder["model.safetensors"], new Dictionary<string, Tensor> { ["a"] = ones(1) });
        SafeTensors.Save(folder["two.safetensors"], new Dictionary<string, Tensor> { ["a"] = ones(1), ["b"] = ones(1) });
        Assert.Contains(says, Assert.Throws<InvalidDataException>(() => SafeTensors.Load(Index(index))).Message);
    }

    string Index(string json) => folder.Write("model.safetensors.index.json", Encoding.UTF8.GetBytes(json));

    byte[] SmallFile(ScalarType[] types)
    {
        using var scope = NewDisposeScope();
        SafeTensors.Save(folder["valid.safetensors"], types.Select((type, i) => KeyValuePair.Create($"t{i}", ones([2, 1 + i], type))), new Dictionary<string, string> { ["format"] = "pt" });
        return File.ReadAllBytes(folder["valid.safetensors"]);
    }

    static byte[] WithHeader(string header)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + 8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, text.Length);
        text.CopyTo(bytes, 8);
        return bytes;
    }

    static Tensor RandomBits(ScalarType type, long[] shape, int seed)
    {
        var tensor = zeros(shape, type);
        // Any bits are a number, NaN payloads included; a bool is 0 or 1.
        if (type == ScalarType.Bool)
            tensor.fill_(seed % 2 != 0);
        else
            new Random(seed).NextBytes(tensor.bytes);
        return tensor;
    }
}
