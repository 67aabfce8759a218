using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Vit.Data;
using Vit.Inspection;
using Vit.Models;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>
/// A page on which one looks into a model with the mouse or the keyboard: where each patch of a picture looks, block by block
/// and head by head, what is like it, and what the head would say after each block. It needs no network and no server.
/// </summary>
/// <remarks>
/// Attention is shown for Vision Transformers, DeiT and hybrids among them; of Swin and of convolutional networks, what is like
/// a place: the cosine of two places' features. A notebook shows the page, and a picture where it may not run scripts.
/// </remarks>
public sealed class Explorer
{
    /// <summary>Of the page, in bytes: beyond it maps become coarser, and then heads are shown as their mean.</summary>
    const int MostBytes = 3_000_000;

    /// <summary>Maps of features are averaged until they have at most so many places a side.</summary>
    const int MostPlaces = 14;

    const int Answers = 5, Levels = 63;

    readonly string page;

    Explorer(string page, PngPicture picture) => (this.page, Picture) = (page, picture);

    /// <summary>For places that show no scripts: each picture, over it what the head reads of it (attention rollout), and what the head says.</summary>
    public PngPicture Picture { get; }

    /// <summary>Looks at pictures with a model that was loaded.</summary>
    /// <param name="pretrained">The model with its preprocessing and class names.</param>
    /// <param name="images">[C, H, W] each, float in [0, 1], of any size.</param>
    /// <param name="names">What each picture is called; if null, they are numbered.</param>
    /// <exception cref="ArgumentException">There are no pictures, not as many names, or the model is none of these.</exception>
    public static Explorer Of<TModel>(PretrainedModel<TModel> pretrained, IReadOnlyList<Tensor> images, IReadOnlyList<string>? names = null)
        where TModel : nn.Module<Tensor, Tensor> => Of(pretrained.Model, images, pretrained.Preprocessing, pretrained.ClassNames, names);

    /// <summary>Looks at pictures with a model of this library that classifies: VisionTransformer, HybridVisionTransformer, SwinTransformer or ConvNet.</summary>
    /// <param name="model">A model in which this library's parts stand; it is put into evaluation, and back.</param>
    /// <param name="images">[C, H, W] each, float in [0, 1], of any size.</param>
    /// <param name="preprocessing">What makes of a picture what the model takes.</param>
    /// <param name="classNames">Of the model's classes; if null, they are numbered.</param>
    /// <param name="names">What each picture is called; if null, they are numbered.</param>
    /// <exception cref="ArgumentException">There are no pictures, not as many names, or the model is none of these.</exception>
    public static Explorer Of(nn.Module<Tensor, Tensor> model, IReadOnlyList<Tensor> images, Preprocessing preprocessing, IReadOnlyList<string>? classNames = null, IReadOnlyList<string>? names = null)
    {
        if (images.Count == 0)
            throw new ArgumentException("Found no pictures, expected at least one.", nameof(images));
        if (names is not null && names.Count != images.Count)
            throw new ArgumentException($"Found {names.Count} names, expected {images.Count}, one for each picture.", nameof(names));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var training = model.training;
        model.eval();
        try
        {
            var device = model.parameters().First().device;
            View[] views = [.. images.Select(image => View.Of(model, preprocessing.Apply(image).to(device), preprocessing.Normalization))];
            names ??= [.. images.Select((_, i) => $"picture {i + 1}")];
            return new(Written(views, names, classNames), Still(views, names, classNames));
        }
        finally
        {
            model.train(training);
        }
    }

    /// <summary>The page, whole.</summary>
    public string ToHtml() => page;

    /// <summary>Writes the page into a file that any browser opens, whole or not at all.</summary>
    /// <param name="path">An <c>.html</c> file; one that is there is replaced.</param>
    public void Save(string path) => WholeFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(page)));

    /// <summary>The page in a frame of a notebook.</summary>
    internal string ToFrame() => Page.Frame(page, "Explorer", 760);

    /// <summary>What it shows, in words.</summary>
    public override string ToString() => $"explorer: a page of {page.Length / 1024:N0} KB";

    static string Written(View[] views, IReadOnlyList<string> names, IReadOnlyList<string>? classNames)
    {
        var template = Page.Template("Explorer.html");
        string[] pictures = [.. views.Select(view => Convert.ToBase64String(Data.Picture.Encode(view.Image)))];
        // As fine as fits: all heads, all heads on a coarser grid, the heads' mean, that on a coarser grid.
        string? written = null;
        foreach (var (pooled, mean) in new[] { (false, false), (true, false), (false, true), (true, true) })
        {
            var view = views[0];
            written = Page.Filled(template, new
            {
                view.Rows,
                view.Columns,
                view.Front,
                PlaceRows = pooled ? (view.Rows + 1) / 2 : view.Rows,
                PlaceColumns = pooled ? (view.Columns + 1) / 2 : view.Columns,
                view.Reads,
                Blocks = view.Places.Length,
                Heads = view.Attention is null ? 0 : mean ? 1 : view.Attention[0].shape[0],
                Pooled = pooled,
                Mean = mean,
                Levels,
                Pictures = views.Select((v, i) => new
                {
                    Name = names[i],
                    Png = pictures[i],
                    v.Width,
                    v.Height,
                    Lens = v.Lens.Select(answers => answers.Select(a => new object[] { Name(classNames, a.Class), Math.Round(a.Probability, 4) })),
                    Maps = Convert.ToBase64String(v.Maps(pooled, mean)),
                }),
            });
            if (written.Length <= MostBytes)
                break;
        }
        return written!;
    }

    static PngPicture Still(View[] views, IReadOnlyList<string> names, IReadOnlyList<string>? classNames)
    {
        string[] labels = [.. views.Zip(names, (view, name) => $"{name}: {Name(classNames, view.Lens[^1][0].Class)} {100 * view.Lens[^1][0].Probability:F0} %")];
        var images = stack([.. views.Select(view => view.Image)]);
        return views[0].Rollout is null
            ? Show.Grid(images, columns: 4, scale: Math.Max(1, 168 / (int)images.shape[^1]), labels: labels)
            : Show.Maps(images, stack([.. views.Select(view => view.Rollout![^1].reshape(view.Rows, view.Columns))]), labels, "What the head reads is made of (attention rollout)", "share");
    }

    static string Name(IReadOnlyList<string>? names, int index) => names is not null && index < names.Count ? names[index] : $"class {index}";

    /// <summary>One picture, and what the model makes of it.</summary>
    sealed class View
    {
        /// <summary>What the model saw, [C, H, W] in [0, 1].</summary>
        public required Tensor Image { get; init; }

        /// <summary>Of each block, [h, T, T]; null where there is none.</summary>
        public Tensor[]? Attention { get; private init; }

        /// <summary>After each block, one unit vector a place, [N, D].</summary>
        public required Tensor[] Places { get; init; }

        /// <summary>What the head would say after each block; of models whose width changes, at the end only.</summary>
        public required (int Class, double Probability)[][] Lens { get; init; }

        /// <summary>After each block, what the token in front, or the mean of all, is made of, [N]; null without attention.</summary>
        public Tensor[]? Rollout { get; private init; }

        public int Rows { get; private init; }

        public int Columns { get; private init; }

        /// <summary>What the tokens in front are called.</summary>
        public IReadOnlyList<string> Front { get; private init; } = [];

        /// <summary>What the head reads.</summary>
        public required string Reads { get; init; }

        public long Width => Image.shape[2];

        public long Height => Image.shape[1];

        public static View Of(nn.Module<Tensor, Tensor> model, Tensor images, Normalization normalization)
        {
            var image = normalization.Undo(images.cpu().to(float32))[0].clamp(0, 1);
            return model switch
            {
                VisionTransformer vit => Of(image, vit.Trace(images), vit),
                HybridVisionTransformer hybrid => Of(image, hybrid.Trace(images), hybrid.encoder),
                SwinTransformer swin => Of(image, swin.Trace(images)),
                ConvNet convNet => Of(image, convNet, Maps(convNet, images)),
                _ => throw new ArgumentException($"Found a {model.GetType().Name}, expected a VisionTransformer, HybridVisionTransformer, SwinTransformer or ConvNet.", nameof(model)),
            };
        }

        static View Of(Tensor image, VisionTransformerTrace trace, VisionTransformer vit)
        {
            int extra = vit.Config.ExtraTokens, rows = vit.Config.GridRows, columns = vit.Config.GridColumns;
            var weights = trace.Blocks.Select(block => block.AttentionWeights).ToArray();
            var mean = vit.Config.Pooling == Pooling.Mean;
            return new()
            {
                Image = image,
                Rows = rows,
                Columns = columns,
                Front = [.. Tokens(vit.Config)],
                Reads = mean ? "the mean of all patches" : "the class token",
                Attention = [.. weights.Select(w => w[0].cpu())],
                Rollout = [.. weights.Select((_, i) =>
                {
                    var reached = Vit.Inspection.Attention.Rollout(weights[..(i + 1)])[0].cpu();
                    return (mean ? reached.slice(0, extra, reached.shape[0], 1).mean([0]) : reached[0]).slice(0, extra, reached.shape[0], 1);
                })],
                Places = [.. trace.Blocks.Select(block => Unit(block.Tokens[0].slice(0, extra, block.Tokens.shape[1], 1)))],
                Lens = [.. trace.Blocks.Select(block => Best(vit.ForwardHead(vit.norm is null ? block.Tokens : vit.norm.call(block.Tokens))))],
            };
        }

        static View Of(Tensor image, SwinTransformerTrace trace) =>
            Of(image, [.. trace.Blocks.Select(map => map.movedim([-1], [1]))], trace.Logits);

        static View Of(Tensor image, ConvNet convNet, Tensor[] maps) => Of(image, maps, convNet.ForwardHead(maps[^1]));

        static View Of(Tensor image, Tensor[] maps, Tensor logits)
        {
            // All on one grid, that of the first and finest map, or as fine as is shown.
            int rows = Math.Min(MostPlaces, (int)maps[0].shape[2]), columns = Math.Min(MostPlaces, (int)maps[0].shape[3]);
            return new()
            {
                Image = image,
                Rows = rows,
                Columns = columns,
                Reads = "the mean of the last map",
                Places = [.. maps.Select(map => Unit(nn.functional.interpolate(
                    nn.functional.adaptive_avg_pool2d(map, [Math.Min(rows, map.shape[2]), Math.Min(columns, map.shape[3])]), [rows, columns])[0].flatten(1).t()))],
                Lens = [Best(logits)],
            };
        }

        static Tensor[] Maps(ConvNet convNet, Tensor images)
        {
            var maps = new List<Tensor>();
            var map = convNet.bn.call(convNet.conv.call(images)).relu();
            foreach (var block in convNet.blocks)
                maps.Add(map = block.call(map));
            return [.. maps];
        }

        static Tensor Unit(Tensor vectors) => nn.functional.normalize(vectors.cpu().to(float32), p: 2, dim: 1);

        static IEnumerable<string> Tokens(VisionTransformerConfig config) =>
        [
            .. config.HasClassToken ? ["class token"] : Array.Empty<string>(),
            .. config.Distilled ? ["distillation token"] : Array.Empty<string>(),
            .. Enumerable.Range(1, config.RegisterTokens).Select(i => $"register {i}"),
        ];

        static (int, double)[] Best(Tensor logits)
        {
            var (values, indices) = logits[0].cpu().to(float64).softmax(0).topk((int)Math.Min(Answers, logits.shape[1]));
            return [.. indices.data<long>().Zip(values.data<double>(), (index, value) => ((int)index, value))];
        }

        /// <summary>
        /// All maps, deflated. Rows of attention (block, head, token), then of rollout (block), then of likeness (block, place or square of places); each row as
        /// 16 bits of its largest value, then 6 bits a value as a share of that, in bytes. Likeness is shown from 0 to 1.
        /// </summary>
        public byte[] Maps(bool pooled, bool mean)
        {
            using var scope = NewDisposeScope();
            using var content = new MemoryStream();
            using (var deflate = new DeflateStream(content, CompressionLevel.SmallestSize, leaveOpen: true))
            {
                foreach (var weights in Attention ?? [])
                    Write(deflate, Coarser(mean ? weights.mean([0]) : weights.flatten(0, 1), pooled));
                foreach (var reached in Rollout ?? [])
                    Write(deflate, reached.unsqueeze(0));
                foreach (var places in Places)
                {
                    var vectors = pooled ? Squares(places.t().reshape(1, -1, Rows, Columns))[0].flatten(1).t() : places;
                    Write(deflate, Vectors.CosineSimilarity(vectors).clamp(0, 1));
                }
            }
            return content.ToArray();
        }

        /// <summary>[R, T] → [R, fewer]: the weights of 2 × 2 patches become one.</summary>
        Tensor Coarser(Tensor rows, bool pooled)
        {
            if (!pooled)
                return rows;
            var patches = rows.slice(1, Front.Count, rows.shape[1], 1).reshape(-1, 1, Rows, Columns);
            return cat([rows.slice(1, 0, Front.Count, 1), Squares(patches).flatten(1)], 1);
        }

        /// <summary>Sums of 2 × 2 places; beyond the edge there is nothing.</summary>
        Tensor Squares(Tensor maps) => 4 * nn.functional.avg_pool2d(nn.functional.pad(maps, (0, Columns % 2, 0, Rows % 2)), 2);

        static void Write(Stream stream, Tensor rows)
        {
            var largest = rows.amax([1], keepdim: true);
            var shares = (rows / largest.clamp_min(1e-12) * Levels).round().to(ScalarType.Byte).contiguous();
            Span<byte> two = stackalloc byte[2];
            foreach (var value in largest.to(float32).data<float>())
            {
                BinaryPrimitives.WriteUInt16LittleEndian(two, (ushort)Math.Round(Math.Clamp(value, 0, 1) * ushort.MaxValue));
                stream.Write(two);
            }
            stream.Write(shares.data<byte>().ToArray());
        }
    }
}
