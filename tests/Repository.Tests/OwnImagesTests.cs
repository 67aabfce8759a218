using System.Text.Json.Nodes;
using CSharpKernel.Documents;
using CSharpKernel.Headless;

namespace Repository.Tests;

/// <summary>The code under "Your own images" in the README.</summary>
public sealed class OwnImagesTests : IDisposable
{
    const int MostLines = 20;

    /// <summary>Pictures of two classes, red and blue, and one that is to be named.</summary>
    const string Pictures = """
        using Vit.Data;
        using static TorchSharp.torch;

        Tensor Coloured(int channel)
        {
            var image = rand(3, 70, 60) * 0.5f;
            image[channel] += 0.5f;
            return image;
        }

        foreach (var (name, channel, count) in new[] { ("red", 0, RED), ("blue", 2, BLUE) })
        {
            System.IO.Directory.CreateDirectory(System.IO.Path.Combine("images", name));
            for (var i = 0; i < count; i++)
                Picture.Save(Coloured(channel), System.IO.Path.Combine("images", name, $"{i}.png"));
        }
        Picture.Save(Coloured(0), "unknown.jpg");
        """;

    readonly string _folder = Directory.CreateTempSubdirectory("own-images-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    internal static List<string> Lines() => Block("#:project");

    /// <summary>The program with the lines that fine-tune in the place of those that train from scratch.</summary>
    internal static List<string> FineTuning() =>
    [
        .. Lines().TakeWhile(line => !line.StartsWith("var (training", StringComparison.Ordinal)),
        .. Block("ResetClassifier"),
        .. Lines().SkipWhile(line => !line.StartsWith("foreach (var (name", StringComparison.Ordinal)),
    ];

    static List<string> Block(string with) => [.. new Document("README.md").CodeBlocks
        .Single(b => b.Language == "csharp" && b.Code.Contains("ImageFolder") && b.Code.Contains(with)).Code.Split('\n')];

    [Fact]
    public void It_is_twenty_lines_at_most() =>
        Assert.InRange(Lines().Count(l => l.Length > 0 && !l.StartsWith("#:") && !l.StartsWith("using ")), 1, MostLines);

    [Theory]
    [InlineData(20, 20)]
    [InlineData(2, 1)]
    public async Task It_trains_and_names_a_picture(int red, int blue)
    {
        var told = await Run(Lines(), red, blue);
        var best = red > 2 ? @"red: \d+\.\d %\nblue" : @"(red|blue): \d+\.\d %\n(red|blue)";
        Assert.Matches($@"(?s)epoch +1: .*epoch +30: .*\n{best}: \d+\.\d %\n$", told);
    }

    [Fact]
    public async Task It_fine_tunes_and_names_a_picture()
    {
        var told = await Run([.. FineTuning().Select(line => line.Replace("data/checkpoints", Tree.PathOf("data/checkpoints").Replace('\\', '/')))], 20, 20);
        Assert.Matches(@"(?s)epoch +1: .*epoch +10: .*\nred: \d+\.\d %\nblue: \d+\.\d %\n$", told);
    }

    async Task<string> Run(List<string> lines, int red, int blue)
    {
        var bin = Tree.PathOf("lib/bin").Replace('\\', '/');
        string[] cells =
        [
            $"#r \"{bin}/Vit.dll\"\n#r \"{bin}/TorchSharp.dll\"\n{Pictures.Replace("RED", $"{red}").Replace("BLUE", $"{blue}")}",
            // What is told to the build has been done above.
            string.Join('\n', lines.Where(l => !l.StartsWith("#:"))),
        ];
        var json = new JsonObject
        {
            ["cells"] = new JsonArray([.. cells.Select((source, i) => (JsonNode)new JsonObject
            {
                ["cell_type"] = "code", ["execution_count"] = null, ["id"] = $"c{i}", ["metadata"] = new JsonObject(), ["outputs"] = new JsonArray(), ["source"] = source,
            })]),
            ["metadata"] = new JsonObject(),
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        var notebook = Notebook.Parse(System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()), "own-images.ipynb");

        var result = await NotebookRunner.Run(notebook, _folder, cancellation: TestContext.Current.CancellationToken);

        Assert.True(result.Failure is null, string.Join('\n', result.Failure?.Details ?? []));
        Assert.True(File.Exists(Path.Combine(_folder, "my-model", "best.safetensors")));
        return string.Concat(notebook.Cells[1].Outputs.Select(o => NotebookCell.Text(o!["text"])));
    }
}
