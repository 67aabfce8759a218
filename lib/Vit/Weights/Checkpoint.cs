using Vit.Data;
using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>An open checkpoint on its way into a model.</summary>
sealed class Checkpoint(string path, TensorFile file, WeightNames names, ConfigFile config, PretrainedOptions options)
{
    int classes;
    bool newHead;
    (int Height, int Width) size;
    int learnedChannels, channels;
    (int Rows, int Columns) learnedGrid, grid;
    int tokensWithPositions;

    /// <summary>K, where the head comes from the file.</summary>
    Int128 LearnedClasses => newHead ? 0 : classes;

    /// <summary>What a reader of the result should know of how it was read.</summary>
    public List<string> Remarks { get; } = [];

    public nn.Module<Tensor, Tensor> CreateModel()
    {
        if (names.Wrapper != "")
            Remarks.Add($"Every name in {path} starts with '{names.Wrapper}', which was taken off.");
        if (config.Text("hidden_act", "act_layer") is { } activation and not "gelu")
            throw new InvalidDataException($"{path}: the config.json beside it says that the activation is '{activation}', and the models here have the exact GELU ('gelu') alone.");
        if (file.Tensors.FirstOrDefault(tensor => tensor.Value.Shape.Contains(0)).Key is string empty)
            throw new InvalidDataException($"{path}: the tensor '{empty}' is empty.");
        var projection = ShapeOf("patch_embed.proj.weight");
        if (projection is not { Length: 4 } || projection[2] != projection[3])
            throw new InvalidDataException($"{path}: the patches' projection is {Shape.Of(projection ?? [])}, expected was [D, C, P, P].");
        var (width, patch) = (Size(projection[0]), Size(projection[2]));
        learnedChannels = Size(projection[1]);
        channels = options.Channels ?? learnedChannels;
        var learnedClasses = ShapeOf("head.weight") is { Length: 2 } head ? Size(head[0]) : (int?)null;
        classes = options.Classes ?? learnedClasses
            ?? throw new InvalidDataException($"{path} has no head ({string.Join(", ", names.Of("head.weight"))} is missing): give PretrainedOptions.Classes for a fresh one, 0 for none.");
        newHead = classes != learnedClasses;
        return names.Swin ? CreateSwin(width, patch) : CreateVit(width, patch);
    }

    /// <summary>Copies the checkpoint into the model, one tensor at a time.</summary>
    public WeightMismatch Fill(nn.Module model)
    {
        var (missing, wrong, used) = (new List<string>(), new List<string>(), new HashSet<string>());
        using var noGradients = no_grad();
        if (newHead)
            foreach (var parameter in (string[])["head.weight", "head.bias", "head_dist.weight", "head_dist.bias"])
                used.UnionWith(names.Of(parameter));
        foreach (var (parameter, target) in model.state_dict())
        {
            var sources = names.Of(parameter);
            used.UnionWith(sources);
            if (newHead && parameter.StartsWith("head", StringComparison.Ordinal))
                continue;
            var lacking = sources.Where(source => !file.Tensors.ContainsKey(source)).ToList();
            missing.AddRange(lacking);
            if (lacking.Count > 0)
                continue;
            using var scope = NewDisposeScope();
            var slots = target.chunk(sources.Length);
            if (!names.Turns && sources.Zip(slots).All(it => file.Tensors[it.First].Shape.SequenceEqual(it.Second.shape)))
            {
                foreach (var (source, slot) in sources.Zip(slots))
                    file.ReadInto(source, slot);
                continue;
            }
            var value = Read(parameter, sources);
            if (parameter == "patch_embed.proj.weight" && channels != learnedChannels)
                value = OfChannels(value, channels);
            if (parameter == "pos_embed" && learnedGrid != grid && value.dim() == 3 && value.shape[1] == tokensWithPositions + learnedGrid.Rows * learnedGrid.Columns)
                value = PositionResampling.Resample(value, tokensWithPositions, learnedGrid, grid, options.PositionInterpolation, options.PositionAntialias);
            if (value.shape.SequenceEqual(target.shape))
                target.copy_(value);
            else
                wrong.Add($"{string.Join(" + ", sources)} {Shape.Of(value)}, the model's {parameter} {Shape.Of(target)}");
        }
        var unexpected = file.Tensors.Keys.Where(name => !used.Contains(name) && !names.IsUnread(name)).ToList();
        return new WeightMismatch(missing, unexpected, wrong);
    }

    public IReadOnlyList<string> ClassNames() =>
        newHead ? [.. Enumerable.Range(0, classes).Select(ConfigFile.ClassName)] : config.ClassNames(classes, Remarks);

    /// <summary>As the files say, then as the options do, and otherwise as the family was published, which is a guess.</summary>
    public Preprocessing Preprocessing(ConfigFile preprocessor) => Believable(() => Told(preprocessor));

    Preprocessing Told(ConfigFile preprocessor)
    {
        var isPlainVit = !names.Swin && !file.Tensors.Keys.Any(name => name.EndsWith("dist_token", StringComparison.Ordinal) || name.EndsWith("distillation_token", StringComparison.Ordinal));
        var family = new Preprocessing { Height = size.Height, Width = size.Width, Channels = channels, Crop = null };
        family = options.Preprocessing is { } stated ? stated with { Height = size.Height, Width = size.Width, Channels = channels } : names.Kind switch
        {
            CheckpointKind.Timm => family with { Crop = 0.9, Normalization = isPlainVit ? Normalization.Half : Normalization.ImageNet },
            CheckpointKind.Torchvision => family with { Crop = 224.0 / 256, Interpolation = Interpolation.Bilinear, Normalization = Normalization.ImageNet },
            CheckpointKind.HuggingFace when !isPlainVit => family with { Crop = 224.0 / 256, Normalization = Normalization.ImageNet },
            _ => family with { Interpolation = Interpolation.Bilinear },
        };
        var crops = preprocessor.Flag("do_center_crop") == true && preprocessor.Size("crop_size") is { } crop && preprocessor.Size("size") is { } resized
            ? (double)crop.Height / resized.Height
            : (double?)null;
        var told = preprocessor.Flag("do_normalize") == false ? Normalization.None
            : preprocessor.Normalization("image_mean", "image_std") ?? config.Normalization("mean", "std");
        var guessed = new List<string>();
        var preprocessing = family with
        {
            Crop = crops ?? (preprocessor.Size("size") is not null || config.Text("crop_mode") == "squash" ? null : config.Number("crop_pct") ?? Untold("crop", family.Crop)),
            Interpolation = preprocessor.Interpolation() ?? config.Interpolation() ?? Untold("filter", family.Interpolation),
            Normalization = Scaled(OfChannels(told ?? Untold("normalisation", family.Normalization), told is not null), preprocessor),
        };
        if (guessed.Count > 0)
            Remarks.Add($"No file tells {string.Join(", ", guessed)} of pictures: taken is what models of this kind were published with, {preprocessing}. PretrainedOptions.Preprocessing states it.");
        return preprocessing;

        T Untold<T>(string what, T value)
        {
            if (options.Preprocessing is null)
                guessed.Add(what);
            return value;
        }
    }

    /// <summary>One of three channels serves a grey model with the mean of each, where no file says otherwise.</summary>
    Normalization OfChannels(Normalization normalization, bool told)
    {
        if (normalization.Mean.Count == 1 || normalization.Mean.Count == channels)
            return normalization;
        if (told && channels == learnedChannels)
            throw new InvalidDataException($"{path} is of a model for {channels} channels, and the file beside it normalises {normalization.Mean.Count}.");
        return new([normalization.Mean.Average()], [normalization.Std.Average()]);
    }

    /// <summary>On pictures from 0 to 1, where the file's is on what rescaling makes of 0 to 255.</summary>
    static Normalization Scaled(Normalization normalization, ConfigFile preprocessor)
    {
        var scale = preprocessor.Flag("do_rescale") == false ? 255 : 255 * (preprocessor.Number("rescale_factor") ?? 1 / 255.0);
        return Math.Abs(scale - 1) < 1e-6
            ? normalization
            : new([.. normalization.Mean.Select(mean => (float)(mean / scale))], [.. normalization.Std.Select(std => (float)(std / scale))]);
    }

    /// <summary>A projection for other channels, as timm makes it: for grey the sum, else repeated, and as large in sum.</summary>
    static Tensor OfChannels(Tensor projection, int channels)
    {
        var learned = projection.shape[1];
        return channels == 1
            ? projection.sum([1], keepdim: true)
            : projection.repeat(1, (channels + learned - 1) / learned, 1, 1).narrow(1, 0, channels) * ((double)learned / channels);
    }

    nn.Module<Tensor, Tensor> CreateVit(int width, int patch)
    {
        var distilled = ShapeOf("dist_token") is not null;
        var (classToken, pooling) = (ShapeOf("cls_token") is not null, Pooled());
        var registers = ShapeOf("reg_token") is { Length: 3 } tokens ? Size(tokens[1]) : 0;
        var positions = ShapeOf("pos_embed");
        var extra = (classToken ? 1 : 0) + registers + (distilled ? 1 : 0);
        (learnedGrid, tokensWithPositions) = LearnedGrid(positions, patch, extra);
        var learned = new VisionTransformerConfig
        {
            ImageHeight = learnedGrid.Rows * patch,
            ImageWidth = learnedGrid.Columns * patch,
            Channels = channels,
            PatchSize = patch,
            Layers = Count(layer => $"blocks.{layer}.norm1.weight"),
            Width = width,
            MlpWidth = ShapeOf("blocks.0.mlp.fc1.weight") is { Length: 2 } hidden ? Size(hidden[0]) : 4 * width,
            Heads = Heads(width),
            Classes = classes,
            Pooling = pooling,
            UnreadClassToken = classToken && pooling == Pooling.Mean,
            NormBeforePooling = pooling == Pooling.Mean && ShapeOf("fc_norm.weight") is null,
            Distilled = distilled,
            RegisterTokens = registers,
            Positions = positions is null ? PositionKind.None : PositionKind.Learned,
            PatchPositionsOnly = tokensWithPositions == 0 && extra > 0,
            PreLogitsWidth = ShapeOf("pre_logits.weight") is { Length: 2 } before ? Size(before[0]) : null,
            QkvBias = ShapeOf("blocks.0.attn.qkv.bias") is not null,
            LayerScale = ShapeOf("blocks.0.ls1.gamma") is not null ? config.Number("init_values") ?? 1 : null,
            LayerNormEpsilon = config.Number("layer_norm_eps") ?? (names.Kind == CheckpointKind.HuggingFace ? 1e-12 : 1e-6),
        };
        Believable(learned.Check);
        Backed((Int128)learned.Layers * width * (4 * (Int128)width + 2 * (Int128)learned.MlpWidth)
            + width * ((Int128)(positions?[1] ?? 0) + registers + (learned.PreLogitsWidth ?? 0))
            + LearnedClasses * (distilled ? 2 : 1) * (learned.PreLogitsWidth ?? width));
        var wanted = learned with { ImageHeight = options.ImageHeight ?? learned.ImageHeight, ImageWidth = options.ImageWidth ?? learned.ImageWidth };
        wanted.Check();
        (size, grid) = ((wanted.ImageHeight, wanted.ImageWidth), (wanted.GridRows, wanted.GridColumns));
        return Believable(() => new VisionTransformer(wanted));
    }

    /// <summary>As timm's <c>global_pool</c> says; otherwise as its tensors tell, for a norm after the mean has another name.</summary>
    Pooling Pooled()
    {
        var (classToken, after) = (ShapeOf("cls_token") is not null, ShapeOf("fc_norm.weight") is not null);
        if (after && ShapeOf("norm.weight") is not null)
            throw new InvalidDataException($"{path} has a norm before and one after the pooling ('norm' and 'fc_norm'), and the models here have one of them.");
        return config.Text("global_pool") switch
        {
            null => classToken && !after ? Pooling.ClassToken : Pooling.Mean,
            "token" when classToken && !after => Pooling.ClassToken,
            "avg" => Pooling.Mean,
            var pool => throw new InvalidDataException(
                $"{path}: the config.json beside it says that the head reads '{pool}' (global_pool), and the models here have 'token', with a class token and 'norm', and 'avg'."),
        };
    }

    SwinTransformer CreateSwin(int width, int patch)
    {
        var learned = config.Size("img_size", "image_size", "input_size") ?? (224, 224);
        size = (options.ImageHeight ?? learned.Height, options.ImageWidth ?? learned.Width);
        var tables = Enumerable.Range(0, Count(stage => $"layers.{stage}.blocks.0.norm1.weight"))
            .Select(stage => ShapeOf($"layers.{stage}.blocks.0.attn.relative_position_bias_table"))
            .Select(shape => shape is { Length: 2 } ? shape : throw new InvalidDataException($"{path}: a stage has no relative_position_bias_table of [(2M − 1)², h]."))
            .ToList();
        var depths = tables.Select((_, stage) => Count(block => $"layers.{stage}.blocks.{block}.norm1.weight")).ToList();
        var window = (Size((long)Math.Sqrt(tables.FirstOrDefault()?[0] ?? 0)) + 1) / 2;
        var (weights, pairs) = (Int128.Zero, Int128.Zero);
        foreach (var (stage, depth) in depths.Index())
        {
            var (rows, columns, D) = (size.Height / patch >> stage, size.Width / patch >> stage, (Int128)width << Math.Min(stage, 31));
            Int128 M = Math.Min(window, rows), N = Math.Min(window, columns);
            weights += depth * (12 * D * D + (2 * M - 1) * (2 * N - 1) * tables[stage][1]);
            pairs += (Int128)depth * rows * columns * M * N;
        }
        Backed(weights + (LearnedClasses * width << Math.Clamp(depths.Count - 1, 0, 31)));
        // What the blocks know of the pairs of patches in their windows stands in no file: sixteen times its weights are believed.
        Backed(pairs / 16);
        return Believable(() => new SwinTransformer(new SwinTransformerConfig
        {
            ImageHeight = size.Height,
            ImageWidth = size.Width,
            Channels = channels,
            PatchSize = patch,
            WindowSize = window,
            Width = width,
            Depths = depths,
            Heads = [.. tables.Select(shape => Size(shape[1]))],
            Classes = classes,
            LayerNormEpsilon = config.Number("layer_norm_eps") ?? 1e-5,
        }));
    }

    /// <summary>The grid of patches that the positions were learned for, and how many tokens before it have a position.</summary>
    ((int Rows, int Columns), int) LearnedGrid(long[]? positions, int patch, int extra)
    {
        var image = config.Size("image_size", "img_size", "input_size");
        (int Rows, int Columns)? told = image is { } it ? (it.Height / patch, it.Width / patch) : null;
        if (positions is null)
            return (told ?? throw new InvalidDataException($"{path} has no positions, and no config.json beside it tells the size of its images."), extra);
        if (positions.Length != 3)
            throw new InvalidDataException($"{path}: the positions are {Shape.Of(positions)}, expected was [1, T, D].");
        foreach (var before in (int[])[extra, 0])
        {
            var patches = positions[1] - before;
            var side = Size((long)Math.Sqrt(Math.Max(patches, 0)));
            if (told is { } grid ? (long)grid.Rows * grid.Columns == patches : side > 0 && (long)side * side == patches)
                return (told ?? (side, side), before);
        }
        throw new InvalidDataException(
            $"{path} has {positions[1]} positions, of which {extra} may be of tokens in front: "
            + (told is { } wrong ? $"its config.json tells of {wrong.Rows} × {wrong.Columns} patches." : "the rest makes no square, and no config.json tells the size of the images."));
    }

    int Heads(int width)
    {
        var told = options.Heads ?? config.Integer("num_heads", "num_attention_heads", "heads");
        if (told is null && names.Kind == CheckpointKind.Jax && file.Tensors.TryGetValue(names.Of("blocks.0.attn.qkv.weight")[0], out var query) && query.Shape.Length == 3)
            told = Size(query.Shape[1]);
        // timm's files do not tell it of the published sizes, each of which has a width of its own.
        return told ?? VisionTransformerConfig.Named.Values.FirstOrDefault(published => published.Width == width)?.Heads
            ?? throw new InvalidDataException($"{path}: no tensor tells the number of heads, no published size has the width {width}, and no config.json is there to say: give PretrainedOptions.Heads.");
    }

    int Count(Func<int, string> parameter)
    {
        var count = 0;
        while (file.Tensors.ContainsKey(names.Of(parameter(count))[0]))
            count++;
        return count;
    }

    /// <summary>A parameter's shape as the model would have it; null where the checkpoint lacks it.</summary>
    long[]? ShapeOf(string parameter)
    {
        var sources = names.Of(parameter);
        if (!sources.All(file.Tensors.ContainsKey))
            return null;
        if (!names.Turns && sources.Length == 1)
            return file.Tensors[sources[0]].Shape;
        using var scope = NewDisposeScope();
        return Read(parameter, sources).shape;
    }

    Tensor Read(string parameter, string[] sources)
    {
        var parts = sources.Select(source => names.Turn(parameter, file.Read(source))).ToList();
        if (parts.Count == 1)
            return parts[0];
        // Query, key and value of different widths cannot be stacked; then the first shows what is wrong.
        return parts.All(part => part.dim() > 0 && part.shape.SequenceEqual(parts[0].shape)) ? cat(parts) : parts[0];
    }

    int Size(long value) => value is >= 0 and <= int.MaxValue ? (int)value : throw new InvalidDataException($"{path} has a tensor of size {value}.");

    /// <summary>Makes sure that a model's matrices are in the file before memory is taken for them.</summary>
    void Backed(Int128 weights)
    {
        var held = file.Tensors.Values.Aggregate(Int128.Zero, (sum, tensor) => sum + tensor.Shape.Aggregate(Int128.One, (product, size) => product * size));
        if (weights > held)
            throw new InvalidDataException($"{path} has {held} weights, and its names and shapes are those of a model with more than {weights}.");
    }

    /// <summary>What the model's constructor refuses is the file's fault here.</summary>
    T Believable<T>(Func<T> create)
    {
        try
        {
            // A strict load fills every weight or throws; otherwise those that the file lacks are to be fresh.
            return options.Strict ? Initialization.Skipped(create) : create();
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"{path} and the config.json beside it describe no model: {exception.Message}", exception);
        }
    }

    void Believable(Action check) => Believable(() =>
    {
        check();
        return true;
    });
}
