#:project ../../lib/Vit.Interactive/Vit.Interactive.csproj
#:property PublishAot=false

using Vit.Data;
using Vit.Inspection;
using Vit.Interactive;
using Vit.Models;
using Vit.Weights;
using static TorchSharp.torch;

// Draws the pictures of a model's card:
//   dotnet run data/checkpoints/draw.cs -- cifar-10-vit
// filters.png: the strongest principal components of the patch embedding's filters (Fig. 7, left, of arXiv:2010.11929).
// positions.png: how similar each position is to all others (Fig. 7, centre), a small map for each.
// attention.png: a picture, and how much of each patch reaches what the head reads (attention rollout, Fig. 6).
// Of a model for photographs also notebooks/images/explorer.html, a page to look into it, and the table of what it says.

var here = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;
var folder = Path.Combine(here, args[0]);
using var pretrained = Pretrained.Load<VisionTransformer>(folder);
var (model, config) = (pretrained.Model, pretrained.Model.Config);
using var noGradients = no_grad();

var filters = model.patch_embed.proj.weight.flatten(1);
var (directions, _, _) = Vectors.PrincipalComponents(filters, Math.Min(28, (int)filters.shape[1]));
var components = directions.reshape(-1, config.Channels, config.PatchSize, config.PatchSize);
// The middle grey is 0.
var strongest = components.abs().amax([1, 2, 3], keepdim: true);
Picture.Save(Grid(components / strongest / 2 + 0.5, columns: components.shape[0] % 7 == 0 ? 7 : 8, scale: 12), Path.Combine(folder, "filters.png"));

var positions = model.pos_embed![0].slice(0, config.ExtraTokens, config.Tokens, 1);
var similarity = Vectors.CosineSimilarity(positions);
var lowest = similarity.min();
var maps = ((similarity - lowest) / (1 - lowest)).reshape(-1, config.GridRows, config.GridColumns);
Picture.Save(Grid(Show.Colors(maps), config.GridColumns, scale: 6), Path.Combine(folder, "positions.png"));

var picture = config.Channels == 3
    ? Picture.Resize(Picture.Load(Path.Combine(here, "..", "photos", "cat.png")), config.ImageHeight, config.ImageWidth, Interpolation.Bicubic).clamp(0, 1)
    : FashionMnist.Load(Split.Test, Path.Combine(here, "..", "fashion-mnist")).Images[0] / 255f;
var trace = model.Trace(pretrained.Preprocessing.Apply(picture));
var rollout = Attention.Rollout([.. trace.Blocks.Select(block => block.AttentionWeights)])[0];
// The class token reads for the head, or all tokens alike.
var read = (config.Pooling == Pooling.ClassToken ? rollout[0] : rollout.mean([0])).slice(0, config.ExtraTokens, config.Tokens, 1);
var heat = ((read - read.min()) / (read.max() - read.min())).reshape(config.GridRows, config.GridColumns);
var pair = stack([picture.expand(3, -1, -1), Show.Blend(picture.expand(3, -1, -1), heat)]);
Picture.Save(Grid(pair, columns: 2, scale: 8), Path.Combine(folder, "attention.png"));

if (config.Channels == 3)
{
    string[] files = [.. Directory.GetFiles(Path.Combine(here, "..", "photos")).Where(file => Path.GetExtension(file) is ".png" or ".jpg").Order(StringComparer.Ordinal)];
    foreach (var file in files)
    {
        var answers = pretrained.Classify(file, most: 3);
        Console.WriteLine($"| {Path.GetFileName(file)} | {string.Join(" | ", answers.Select(answer => $"{answer.Class} {100 * answer.Probability:F0} %"))} |");
    }
    Explorer.Of(pretrained, [.. files.Select(file => Picture.Load(file))], [.. files.Select(Path.GetFileNameWithoutExtension)!])
        .Save(Path.Combine(here, "..", "..", "notebooks", "images", "explorer.html"));
}

// [N, C, H, W] as one picture, enlarged pixel by pixel, with white lines between.
static Tensor Grid(Tensor images, int columns, int scale)
{
    var large = images.repeat_interleave(scale, 2).repeat_interleave(scale, 3);
    var framed = nn.functional.pad(large, (0, 4, 0, 4), value: 1);
    var rows = framed.split(columns).Select(row => cat([.. row.unbind(0)], 2)).ToArray();
    var widest = rows[0].shape[2];
    return cat([.. rows.Select(row => nn.functional.pad(row, (0, widest - row.shape[2], 0, 0), value: 1))], 1);
}
