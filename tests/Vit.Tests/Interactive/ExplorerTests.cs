using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vit.Data;
using Vit.Inspection;
using Vit.Interactive;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public partial class ExplorerTests
{
    static readonly VisionTransformerConfig Small = new()
    {
        ImageHeight = 8,
        ImageWidth = 12,
        PatchSize = 4,
        Layers = 3,
        Width = 16,
        MlpWidth = 32,
        Heads = 2,
        Classes = 4,
    };

    static readonly Preprocessing Fit = new() { Height = 8, Width = 12, Normalization = new([0.5f, 0.4f, 0.3f], [0.2f, 0.3f, 0.4f]) };

    [Fact]
    public void The_page_holds_the_models_attention_its_rollout_and_what_the_head_would_say()
    {
        using var model = Fresh(Small);
        var images = new[] { rand(3, 8, 12), rand(3, 30, 40) };

        var data = Data(Explorer.Of(model, images, Fit, ["a", "b", "<c>", "d"], ["one", "two"]));

        Assert.Equal((2, 3, 3, 2), ((int)data["rows"]!, (int)data["columns"]!, (int)data["blocks"]!, (int)data["heads"]!));
        Assert.Equal(["class token"], data["front"]!.AsArray().Select(name => (string)name!));
        Assert.Equal(["one", "two"], data["pictures"]!.AsArray().Select(picture => (string)picture!["name"]!));
        for (var i = 0; i < 2; i++)
        {
            var picture = data["pictures"]![i]!;
            using var noGradients = no_grad();
            var trace = model.Trace(Fit.Apply(images[i]));
            var rows = new Rows(picture);
            foreach (var block in trace.Blocks)
                Close(block.AttentionWeights[0].flatten(0, 1), rows.Take(2 * 7, 7));
            var weights = trace.Blocks.Select(block => block.AttentionWeights).ToArray();
            for (var block = 1; block <= 3; block++)
                Close(Attention.Rollout(weights[..block])[0, 0].slice(0, 1, 7, 1).unsqueeze(0), rows.Take(1, 6));
            foreach (var block in trace.Blocks)
                Close(Vectors.CosineSimilarity(block.Tokens[0].slice(0, 1, 7, 1)).clamp(0, 1), rows.Take(6, 6));
            Assert.True(rows.AtEnd);

            var last = picture["lens"]![2]!.AsArray();
            var expected = trace.Logits[0].softmax(0).max(0);
            Assert.Equal(new[] { "a", "b", "<c>", "d" }[expected.indexes.item<long>()], (string)last[0]![0]!);
            Assert.Equal(expected.values.item<float>(), (double)last[0]![1]!, 1e-3);
            var seen = Picture.Decode(Convert.FromBase64String((string)picture["png"]!));
            Close(Fit.Normalization.Undo(Fit.Apply(images[i]))[0], seen);
        }
    }

    [Fact]
    public void Eight_pictures_of_a_model_of_224_pixels_fit_into_three_megabytes_on_a_coarser_grid()
    {
        using var model = Fresh(new() { ImageHeight = 224, ImageWidth = 224, PatchSize = 16, Layers = 12, Width = 48, MlpWidth = 48, Heads = 3, Classes = 10 });

        var explorer = Explorer.Of(model, [.. Enumerable.Range(0, 8).Select(_ => rand(3, 32, 32))], Preprocessing.Square(224));

        Assert.InRange(explorer.ToHtml().Length, 1, 3_000_000);
        Assert.True((bool)Data(explorer)["pooled"]!);
        Assert.True(model.training);
    }

    [Fact]
    public void Models_without_attention_for_all_show_what_is_like_a_place()
    {
        using var convNet = new ConvNet(new() { Channels = 3, Widths = [16, 32], Blocks = 1, Classes = 4 });
        using var swin = new SwinTransformer(new() { ImageHeight = 32, ImageWidth = 32, PatchSize = 4, Width = 16, Depths = [2, 2], Heads = [2, 4], WindowSize = 4, Classes = 4 });
        foreach (var (model, blocks) in new (nn.Module<Tensor, Tensor>, int)[] { (convNet, 2), (swin, 4) })
        {
            var data = Data(Explorer.Of(model, [rand(3, 32, 32)], Preprocessing.Square(32)));

            Assert.Equal((0, blocks), ((int)data["heads"]!, (int)data["blocks"]!));
            var places = (int)data["placeRows"]! * (int)data["placeColumns"]!;
            var rows = new Rows(data["pictures"]![0]!);
            for (var block = 0; block < blocks; block++)
                Assert.All(rows.Take(places, places).diagonal().data<float>(), value => Assert.Equal(1, value, 0.01));
            Assert.True(rows.AtEnd);
            Assert.StartsWith("class ", (string)data["pictures"]![0]!["lens"]![0]![0]![0]!);
        }
    }

    [Fact]
    public void Maps_that_are_not_square_keep_what_tells_their_places_apart()
    {
        using var swin = new SwinTransformer(new() { ImageHeight = 32, ImageWidth = 64, PatchSize = 4, Width = 16, Depths = [1, 1], Heads = [2, 4], WindowSize = 4, Classes = 4 });
        var data = Data(Explorer.Of(swin, [rand(3, 32, 64)], Preprocessing.Square(32) with { Width = 64 }));

        // 8 × 16 places in the first block, of which 8 × 14 are shown.
        Assert.Equal((8, 14), ((int)data["placeRows"]!, (int)data["placeColumns"]!));
        var similar = new Rows(data["pictures"]![0]!).Take(8 * 14, 8 * 14);
        for (var column = 1; column < 14; column++)
            Assert.True(similar[0, column].item<float>() < 0.99, $"place {column} is the first one once more");
    }

    [Fact]
    public void A_page_asks_nothing_of_the_network_and_is_written_whole()
    {
        using var folder = new TemporaryFolder();
        using var model = Fresh(Small);
        var explorer = Explorer.Of(model, [rand(3, 8, 12)], Fit);
        var path = Path.Combine(folder.FullName, "inside.html");

        WholeFiles.AssertReplaced(path, () => explorer.Save(path));

        Assert.Equal([path], Directory.GetFiles(folder.FullName));
        var page = File.ReadAllText(path);
        Assert.Equal(explorer.ToHtml(), page);
        Assert.DoesNotMatch("(src|href)=|https?:|import |fetch\\(", page);
    }

    [Fact]
    public void Pictures_names_and_models_that_do_not_fit_are_refused()
    {
        using var model = Fresh(Small);
        Assert.Contains("no pictures", Assert.Throws<ArgumentException>(() => Explorer.Of(model, [], Fit)).Message);
        Assert.Contains("Found 1 names, expected 2", Assert.Throws<ArgumentException>(() => Explorer.Of(model, [rand(3, 8, 12), rand(3, 8, 12)], Fit, names: ["one"])).Message);
        using var linear = nn.Linear(3, 3);
        Assert.Contains("Found a Linear", Assert.Throws<ArgumentException>(() => Explorer.Of(linear, [rand(3, 8, 12)], Fit)).Message);
    }

    static VisionTransformer Fresh(VisionTransformerConfig config)
    {
        random.manual_seed(3);
        var model = new VisionTransformer(config);
        using var noGradients = no_grad();
        foreach (var parameter in model.parameters())
            parameter.add_(randn_like(parameter) * 0.3);
        return model;
    }

    static JsonNode Data(Explorer explorer) => JsonNode.Parse(DataLine().Match(explorer.ToHtml()).Groups[1].Value)!;

    /// <summary>To one of 63 steps of a row's largest value, or one of 255 of a picture.</summary>
    static void Close(Tensor expected, Tensor found) => Assert.InRange((expected - found).abs().max().item<float>(), 0, 0.0085f);

    [GeneratedRegex("^const data = (.*);\r?$", RegexOptions.Multiline)]
    private static partial Regex DataLine();

    /// <summary>The maps of a picture, as the page unpacks them.</summary>
    sealed class Rows
    {
        readonly byte[] bytes;
        int at;

        public Rows(JsonNode picture)
        {
            using var packed = new DeflateStream(new MemoryStream(Convert.FromBase64String((string)picture["maps"]!)), CompressionMode.Decompress);
            using var unpacked = new MemoryStream();
            packed.CopyTo(unpacked);
            bytes = unpacked.ToArray();
        }

        public bool AtEnd => at == bytes.Length;

        public Tensor Take(int rows, int length)
        {
            var largest = Enumerable.Range(0, rows).Select(row => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at + 2 * row)) / 65535f).ToArray();
            var values = bytes.AsSpan(at + 2 * rows, rows * length).ToArray().Select(value => value / 63f).ToArray();
            at += rows * (2 + length);
            return tensor(values, [rows, length]) * tensor(largest).unsqueeze(1);
        }
    }
}
