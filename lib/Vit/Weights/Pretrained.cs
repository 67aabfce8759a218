using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vit.Data;
using Vit.Layers;
using Vit.Models;
using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>Loads published weights, and saves a model as others publish theirs.</summary>
public static partial class Pretrained
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Loads a checkpoint, whatever model it is of; see <see cref="Load{TModel}"/>.</summary>
    public static PretrainedModel<nn.Module<Tensor, Tensor>> Load(string path, PretrainedOptions? options = null) =>
        Load<nn.Module<Tensor, Tensor>>(path, options);

    /// <summary>
    /// Loads a checkpoint of timm (Vision Transformer, DeiT, Swin), Hugging Face (ViT, DeiT with teacher), torchvision,
    /// the paper, or a <see cref="Trainer"/>, whose averaged weights are taken where there are any; which it is shows in its
    /// names. What the weights do not tell stands in the <c>config.json</c> beside them, where there is one. What is guessed,
    /// or read otherwise than it stands there, is told on standard error, and in <see cref="PretrainedModel{TModel}.Remarks"/>.
    /// </summary>
    /// <typeparam name="TModel">What is expected: <see cref="VisionTransformer"/> or <see cref="SwinTransformer"/>; of a <see cref="Trainer"/> also another model of this library.</typeparam>
    /// <param name="path">
    /// A .safetensors or .npz file, the .safetensors.index.json of several, or the folder of one of them; of the folder of a
    /// training, the best checkpoint.
    /// </param>
    /// <param name="options">What is to differ from the checkpoint.</param>
    /// <exception cref="InvalidDataException">A file is damaged, of no kind that is known, or of another model than expected.</exception>
    /// <exception cref="FileNotFoundException">There is no such file, or no weights in the folder.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, unexpected or of another shape.</exception>
    /// <exception cref="ArgumentException">The options do not suit the model.</exception>
    public static PretrainedModel<TModel> Load<TModel>(string path, PretrainedOptions? options = null) where TModel : nn.Module<Tensor, Tensor>
    {
        options ??= new PretrainedOptions();
        path = Locate(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        using var file = TensorFile.Open(path);
        if (TrainingCheckpoint.Is(file))
            return OfTraining<TModel>(path, options);
        using var config = new ConfigFile(Path.Combine(folder, "config.json"));
        var names = WeightNames.Recognize(file, path);
        var checkpoint = new Checkpoint(path, file, names, config, options);
        var model = checkpoint.CreateModel();
        try
        {
            if (model is not TModel expected)
                throw new InvalidDataException($"{path} holds a {model.GetName()}, not a {typeof(TModel).Name}.");
            var mismatch = checkpoint.Fill(model);
            if (options.Strict && !mismatch.IsEmpty)
                throw new WeightMismatchException(path, mismatch);
            model.eval();
            using var preprocessor = new ConfigFile(Path.Combine(folder, "preprocessor_config.json"));
            var (preprocessing, classNames) = (checkpoint.Preprocessing(preprocessor), checkpoint.ClassNames());
            foreach (var remark in checkpoint.Remarks)
                Console.Error.WriteLine($"{path}: {remark}");
            return new PretrainedModel<TModel>
            {
                Model = expected,
                Kind = names.Kind,
                ClassNames = classNames,
                Preprocessing = preprocessing,
                Mismatch = mismatch,
                Remarks = checkpoint.Remarks,
            };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    static PretrainedModel<TModel> OfTraining<TModel>(string path, PretrainedOptions options) where TModel : nn.Module<Tensor, Tensor>
    {
        if (options != new PretrainedOptions())
            throw new ArgumentException($"{path} is a checkpoint of a training, which is loaded as it is: change the model afterwards.", nameof(options));
        var training = TrainingCheckpoint.Open(path);
        var (model, preprocessing) = training.CreateModel();
        if (model is TModel expected)
            return new()
            {
                Model = expected,
                Kind = CheckpointKind.Training,
                ClassNames = training.ClassNames,
                Preprocessing = preprocessing,
                Mismatch = new([], [], []),
            };
        using (model)
            throw new InvalidDataException($"{path} holds a {model.GetName()}, not a {typeof(TModel).Name}.");
    }

    /// <summary>Saves a model as timm publishes its own: <c>timm.create_model("local-dir:folder", pretrained=True)</c> reads it.</summary>
    /// <param name="model">A <see cref="VisionTransformer"/> or <see cref="SwinTransformer"/>.</param>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="classNames">One for each class, or none.</param>
    /// <param name="preprocessing">How pictures become what the model takes; null for the family's.</param>
    /// <exception cref="ArgumentException">The model is of another kind, or the names are not as many as the classes.</exception>
    public static void SaveAsTimm(nn.Module model, string folder, IReadOnlyList<string>? classNames = null, Preprocessing? preprocessing = null)
    {
        var (architecture, classes, pool, arguments, epsilon, (height, width, channels)) = model switch
        {
            VisionTransformer { Config: var config } => (config.Distilled ? "deit_base_distilled_patch16_224" : "vit_base_patch16_224", config.Classes, config.Pooling == Pooling.Mean ? "avg" : "token", VitArguments(config), config.LayerNormEpsilon, Size(config)),
            SwinTransformer { Config: var config } => ("swin_base_patch4_window7_224", config.Classes, "avg", SwinArguments(config), config.LayerNormEpsilon, (config.ImageHeight, config.ImageWidth, config.Channels)),
            _ => throw new ArgumentException($"timm's names are known of a VisionTransformer and a SwinTransformer, given was a {model.GetName()}.", nameof(model)),
        };
        var pretrained = new JsonObject { ["input_size"] = new JsonArray(channels, height, width) };
        if (preprocessing is not null)
        {
            pretrained["crop_pct"] = preprocessing.Crop ?? 1;
            pretrained["crop_mode"] = preprocessing.Crop is null ? "squash" : "center";
            pretrained["interpolation"] = preprocessing.Interpolation.ToString().ToLowerInvariant();
            pretrained["mean"] = List(preprocessing.Normalization.Mean);
            pretrained["std"] = List(preprocessing.Normalization.Std);
        }
        var json = new JsonObject
        {
            ["architecture"] = architecture,
            ["num_classes"] = classes,
            ["global_pool"] = pool,
            ["layer_norm_eps"] = epsilon,
            ["model_args"] = arguments,
            ["pretrained_cfg"] = pretrained,
        };
        if (classNames is not null)
            json["label_names"] = List(Checked(classNames, classes));
        Write(folder, model, new WeightNames(CheckpointKind.Timm, swin: model is SwinTransformer), ("config.json", json));
    }

    /// <summary>Saves a model as transformers does: <c>ViTForImageClassification.from_pretrained(folder)</c> reads it.</summary>
    /// <param name="model">A <see cref="VisionTransformer"/> without what transformers' lacks.</param>
    /// <param name="folder">Where to; created if it does not exist.</param>
    /// <param name="classNames">One for each class, or none.</param>
    /// <param name="preprocessing">How pictures become what the model takes; null for the family's.</param>
    /// <exception cref="ArgumentException">transformers has no such model, or the names are not as many as the classes.</exception>
    public static void SaveAsHuggingFace(nn.Module model, string folder, IReadOnlyList<string>? classNames = null, Preprocessing? preprocessing = null)
    {
        if (model is not VisionTransformer { Config: var config })
            throw new ArgumentException($"transformers' names are known of a VisionTransformer, given was a {model.GetName()}.", nameof(model));
        string[] lacking = [.. new[]
        {
            config.Pooling == Pooling.Mean ? "mean pooling" : "", config.RegisterTokens > 0 ? "register tokens" : "", config.LayerScale is not null ? "LayerScale" : "",
            config.PatchPositionsOnly ? "positions of the patches alone" : "", config.PreLogitsWidth is not null ? "a layer before the head" : "", config.Positions == PositionKind.None ? "no positions" : "",
        }.Where(what => what != "")];
        if (lacking.Length > 0)
            throw new ArgumentException($"transformers' Vision Transformer has no {string.Join(", ", lacking)}; SaveAsTimm keeps all of a model.", nameof(model));
        var labels = classNames is null ? [.. Enumerable.Range(0, config.Classes).Select(id => $"LABEL_{id}")] : Checked(classNames, config.Classes);
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(config.Distilled ? "DeiTForImageClassificationWithTeacher" : "ViTForImageClassification"),
            ["model_type"] = config.Distilled ? "deit" : "vit",
            ["hidden_size"] = config.Width,
            ["num_hidden_layers"] = config.Layers,
            ["num_attention_heads"] = config.Heads,
            ["intermediate_size"] = config.MlpWidth,
            ["hidden_act"] = "gelu",
            ["hidden_dropout_prob"] = config.Dropout,
            ["attention_probs_dropout_prob"] = config.AttentionDropout,
            ["initializer_range"] = 0.02,
            ["layer_norm_eps"] = config.LayerNormEpsilon,
            ["image_size"] = config.ImageHeight == config.ImageWidth ? config.ImageHeight : new JsonArray(config.ImageHeight, config.ImageWidth),
            ["patch_size"] = config.PatchSize,
            ["num_channels"] = config.Channels,
            ["qkv_bias"] = config.QkvBias,
            ["id2label"] = new JsonObject(labels.Select((label, id) => KeyValuePair.Create(id.ToString(), (JsonNode?)label))),
        };
        // Two classes of one name have no place in label2id, and transformers does not need it.
        if (labels.Distinct().Count() == labels.Count)
            json["label2id"] = new JsonObject(labels.Select((label, id) => KeyValuePair.Create(label, (JsonNode?)id)));
        var names = new WeightNames(CheckpointKind.HuggingFace, config.Distilled);
        if (preprocessing is null)
            Write(folder, model, names, ("config.json", json));
        else
            Write(folder, model, names, ("config.json", json), ("preprocessor_config.json", Preprocessor(preprocessing)));
    }

    static JsonObject Preprocessor(Preprocessing preprocessing)
    {
        var channels = preprocessing.Channels;
        var json = new JsonObject
        {
            ["image_processor_type"] = "ViTImageProcessor",
            ["do_convert_rgb"] = channels == 3,
            ["do_resize"] = true,
            ["do_rescale"] = true,
            ["do_normalize"] = true,
            ["size"] = SizeOf(preprocessing.Height, preprocessing.Width),
            ["resample"] = preprocessing.Interpolation == Interpolation.Bicubic ? 3 : 2,
            ["image_mean"] = OfEach(preprocessing.Normalization.Mean),
            ["image_std"] = OfEach(preprocessing.Normalization.Std),
        };
        if (preprocessing.Crop is double crop)
        {
            if (preprocessing.Height != preprocessing.Width)
                throw new ArgumentException($"transformers crops the middle out of pictures otherwise, where it is {preprocessing.Height} × {preprocessing.Width} and no square; SaveAsTimm keeps it.", nameof(preprocessing));
            // ViT's own does not crop, and DeiT's stretches the picture first: of those that transformers has, this keeps proportions.
            json["image_processor_type"] = "BitImageProcessor";
            json["size"] = new JsonObject { ["shortest_edge"] = Preprocessing.ShorterSide(preprocessing.Height, crop) };
            json["do_center_crop"] = true;
            json["crop_size"] = SizeOf(preprocessing.Height, preprocessing.Width);
        }
        return json;

        // transformers wants one for each channel.
        JsonArray OfEach(IReadOnlyList<float> values) => List(values.Count == 1 ? Enumerable.Repeat(values[0], channels) : values);

        static JsonObject SizeOf(int height, int width) => new() { ["height"] = height, ["width"] = width };
    }

    static void Write(string folder, nn.Module model, WeightNames names, params (string Name, JsonObject Content)[] files)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var tensors = new List<KeyValuePair<string, Tensor>>();
        foreach (var (parameter, value) in model.state_dict())
        {
            var targets = names.Of(parameter);
            tensors.AddRange(targets.Zip(value.chunk(targets.Length), KeyValuePair.Create));
        }
        Directory.CreateDirectory(folder);
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"), tensors, new Dictionary<string, string> { ["format"] = "pt" });
        foreach (var (name, content) in files)
            WholeFile.Write(Path.Combine(folder, name), stream => JsonSerializer.Serialize(stream, content, Indented));
    }

    static JsonObject VitArguments(VisionTransformerConfig config)
    {
        var arguments = new JsonObject
        {
            ["img_size"] = new JsonArray(config.ImageHeight, config.ImageWidth),
            ["patch_size"] = config.PatchSize,
            ["in_chans"] = config.Channels,
            ["embed_dim"] = config.Width,
            ["depth"] = config.Layers,
            ["num_heads"] = config.Heads,
            ["mlp_ratio"] = MlpRatio(config.Width, config.MlpWidth),
            ["qkv_bias"] = config.QkvBias,
            ["class_token"] = config.HasClassToken,
            ["reg_tokens"] = config.RegisterTokens,
            ["no_embed_class"] = config.PatchPositionsOnly,
        };
        if (config.NormBeforePooling)
            arguments["fc_norm"] = false;
        if (config.Positions == PositionKind.None)
            arguments["pos_embed"] = "none";
        if (config.LayerScale is double scale)
            arguments["init_values"] = scale;
        return arguments;
    }

    /// <summary>A number by which timm's <c>int(width * mlp_ratio)</c> is the width that is meant.</summary>
    internal static double MlpRatio(int width, int mlpWidth)
    {
        var ratio = (double)mlpWidth / width;
        while ((int)(width * ratio) < mlpWidth)
            ratio = Math.BitIncrement(ratio);
        return ratio;
    }

    static JsonObject SwinArguments(SwinTransformerConfig config) => new()
    {
        ["img_size"] = new JsonArray(config.ImageHeight, config.ImageWidth),
        ["patch_size"] = config.PatchSize,
        ["in_chans"] = config.Channels,
        ["window_size"] = config.WindowSize,
        ["embed_dim"] = config.Width,
        ["depths"] = List(config.Depths),
        ["num_heads"] = List(config.Heads),
    };

    static (int Height, int Width, int Channels) Size(VisionTransformerConfig config) => (config.ImageHeight, config.ImageWidth, config.Channels);

    static JsonArray List<T>(IEnumerable<T> values) => new([.. values.Select(value => (JsonNode?)JsonValue.Create(value))]);

    static IReadOnlyList<string> Checked(IReadOnlyList<string> classNames, int classes) => classNames.Count == classes
        ? classNames
        : throw new ArgumentException($"The model has {classes} classes, and {classNames.Count} names were given.", nameof(classNames));

    // owner/name, without the ending of a file.
    [GeneratedRegex(@"^(hf[-_]hub:)?[\w-]+/[\w.-]+(?<!\.safetensors|\.npz|\.json)$", RegexOptions.CultureInvariant)]
    private static partial Regex HubName();

    static string Locate(string path)
    {
        if (!Directory.Exists(path))
            return File.Exists(path) || !HubName().IsMatch(path) ? path : throw new FileNotFoundException(
                $"There is no file or folder {path}. If a repository on the Hugging Face hub is meant: put its model.safetensors and its .json files into a folder, and give that folder.", path);
        foreach (var name in (string[])["model.safetensors", "model.safetensors.index.json", "model.npz", "best.safetensors"])
            if (File.Exists(Path.Combine(path, name)))
                return Path.Combine(path, name);
        string[] found = [.. Directory.GetFiles(path, "*.safetensors"), .. Directory.GetFiles(path, "*.npz")];
        if (found.Length == 1)
            return found[0];
        // A folder of pickles gets their message.
        foreach (var other in Directory.GetFiles(path))
            NoWeights.Refuse(other);
        throw new FileNotFoundException($"{path} has {found.Length} files of weights, expected was model.safetensors, its index, model.npz, or one .safetensors or .npz file of any name.", path);
    }
}
