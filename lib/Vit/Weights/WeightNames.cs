using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>Where a checkpoint keeps each parameter of a model: under which names, and turned how.</summary>
/// <remarks>Parameters go by timm's names, which the fields of the models carry.</remarks>
sealed partial class WeightNames
{
    // * is the number of the block, @ is query, key and value in turn.
    static readonly Dictionary<string, string> HuggingFace = new()
    {
        ["cls_token"] = "embeddings.cls_token",
        ["pos_embed"] = "embeddings.position_embeddings",
        ["patch_embed.proj"] = "embeddings.patch_embeddings.projection",
        ["blocks.*.norm1"] = "encoder.layer.*.layernorm_before",
        ["blocks.*.attn.qkv"] = "encoder.layer.*.attention.attention.@",
        ["blocks.*.attn.proj"] = "encoder.layer.*.attention.output.dense",
        ["blocks.*.norm2"] = "encoder.layer.*.layernorm_after",
        ["blocks.*.mlp.fc1"] = "encoder.layer.*.intermediate.dense",
        ["blocks.*.mlp.fc2"] = "encoder.layer.*.output.dense",
        ["norm"] = "layernorm",
    };

    static readonly Dictionary<string, string> Torchvision = new()
    {
        ["cls_token"] = "class_token",
        ["pos_embed"] = "encoder.pos_embedding",
        ["patch_embed.proj"] = "conv_proj",
        ["blocks.*.norm1"] = "encoder.layers.encoder_layer_*.ln_1",
        ["blocks.*.attn.qkv"] = "encoder.layers.encoder_layer_*.self_attention.in_proj_",
        ["blocks.*.attn.proj"] = "encoder.layers.encoder_layer_*.self_attention.out_proj",
        ["blocks.*.norm2"] = "encoder.layers.encoder_layer_*.ln_2",
        ["blocks.*.mlp.fc1"] = "encoder.layers.encoder_layer_*.mlp.0",
        ["blocks.*.mlp.fc2"] = "encoder.layers.encoder_layer_*.mlp.3",
        ["norm"] = "encoder.ln",
        ["pre_logits"] = "heads.pre_logits",
        ["head"] = "heads.head",
    };

    static readonly Dictionary<string, string> Jax = new()
    {
        ["cls_token"] = "cls",
        ["pos_embed"] = "Transformer/posembed_input/pos_embedding",
        ["patch_embed.proj"] = "embedding",
        ["blocks.*.norm1"] = "Transformer/encoderblock_*/LayerNorm_0",
        ["blocks.*.attn.qkv"] = "Transformer/encoderblock_*/MultiHeadDotProductAttention_1/@",
        ["blocks.*.attn.proj"] = "Transformer/encoderblock_*/MultiHeadDotProductAttention_1/out",
        ["blocks.*.norm2"] = "Transformer/encoderblock_*/LayerNorm_2",
        ["blocks.*.mlp.fc1"] = "Transformer/encoderblock_*/MlpBlock_3/Dense_0",
        ["blocks.*.mlp.fc2"] = "Transformer/encoderblock_*/MlpBlock_3/Dense_1",
        ["norm"] = "Transformer/encoder_norm",
        ["pre_logits"] = "pre_logits",
        ["head"] = "head",
    };

    /// <summary>Only a Swin Transformer has it.</summary>
    public const string SwinTable = "layers.0.blocks.0.attn.relative_position_bias_table";

    const string Projection = "embeddings.patch_embeddings.projection.weight";

    static readonly string[] Thirds = ["query", "key", "value"];

    // What stands before every name where a model was saved inside another: DataParallel, a module's field, torch.compile.
    static readonly string[] Wrappers = ["module.", "model.", "_orig_mod."];

    readonly Dictionary<string, string> stems = [];
    readonly bool mergingLast;

    public CheckpointKind Kind { get; }

    /// <summary>What stands before every name of the file, and belongs to none; mostly nothing.</summary>
    public string Wrapper { get; private init; } = "";

    /// <summary>Whether they are a Swin Transformer's.</summary>
    public bool Swin { get; }

    /// <summary>Whether <see cref="Turn"/> changes anything.</summary>
    public bool Turns => Kind == CheckpointKind.Jax;

    /// <param name="kind">Whose names.</param>
    /// <param name="distilled">Whether the model has a distillation token with a head of its own.</param>
    /// <param name="swin">Whether it is a Swin Transformer.</param>
    /// <param name="prefix">What Hugging Face's names start with: the model's type, or nothing where there is no head; null for the type.</param>
    /// <param name="mergingLast">Whether Swin's stages end with the merging of patches, as in its authors' files, instead of starting with it.</param>
    public WeightNames(CheckpointKind kind, bool distilled = false, bool swin = false, string? prefix = null, bool mergingLast = false)
    {
        (Kind, Swin, this.mergingLast) = (kind, swin, mergingLast);
        switch (kind)
        {
            case CheckpointKind.HuggingFace:
                prefix ??= distilled ? "deit." : "vit.";
                foreach (var (ours, theirs) in HuggingFace)
                    stems.Add(ours, prefix + theirs);
                // DeiTForImageClassification reads nothing from its distillation token: that is a register.
                stems.Add(distilled ? "dist_token" : "reg_token", $"{prefix}embeddings.distillation_token");
                stems.Add("head", distilled ? "cls_classifier" : "classifier");
                stems.Add("head_dist", "distillation_classifier");
                break;
            case CheckpointKind.Torchvision:
                stems = Torchvision;
                break;
            case CheckpointKind.Jax:
                stems = Jax;
                break;
            case CheckpointKind.Timm when swin && !mergingLast:
                stems.Add("head", "head.fc");
                break;
        }
    }

    /// <summary>Tells whose names these are.</summary>
    /// <exception cref="InvalidDataException">No kind that is known.</exception>
    public static WeightNames Recognize(TensorFile file, string path)
    {
        var wrapper = "";
        while (Wrappers.FirstOrDefault(it => file.Tensors.Count > 0 && file.Tensors.Keys.All(name => name.StartsWith(wrapper + it, StringComparison.Ordinal))) is string next)
            wrapper += next;
        bool Has(string name) => file.Tensors.ContainsKey(wrapper + name);
        if (Has("embedding/kernel"))
            return new WeightNames(CheckpointKind.Jax) { Wrapper = wrapper };
        if (Has("conv_proj.weight"))
            return new WeightNames(CheckpointKind.Torchvision) { Wrapper = wrapper };
        if (Has("patch_embed.proj.weight"))
            return new WeightNames(CheckpointKind.Timm, swin: Has(SwinTable), mergingLast: Has("layers.0.downsample.norm.weight")) { Wrapper = wrapper };
        if (file.Tensors.Keys.FirstOrDefault(name => name.EndsWith(Projection, StringComparison.Ordinal)) is string projection)
        {
            var prefix = projection[wrapper.Length..^Projection.Length];
            if (prefix is not ("vit." or "deit." or "") || !Has($"{prefix}encoder.layer.0.layernorm_before.weight"))
                throw new InvalidDataException(
                    $"{path} is Hugging Face's, but neither a ViT nor a DeiT: its blocks are named otherwise, as those of DINOv2 and others are ('{file.Tensors.Keys.FirstOrDefault(name => name.Contains("layer.0.", StringComparison.Ordinal)) ?? projection}'). "
                    + "Take the same weights in timm's names, which most such models have on the hub too (DINOv2: timm/vit_small_patch14_dinov2.lvd142m).");
            var distilled = Has($"{prefix}embeddings.distillation_token") && !Has("classifier.weight");
            return new WeightNames(CheckpointKind.HuggingFace, distilled, prefix: prefix) { Wrapper = wrapper };
        }
        throw new InvalidDataException(
            $"{path} is no checkpoint whose names are known: neither timm's, Hugging Face's or torchvision's Vision Transformer, nor the paper's own, nor timm's DeiT or Swin. "
            + $"It has {file.Tensors.Count} tensors: {string.Join(", ", file.Tensors.Keys.Take(5))}{(file.Tensors.Count > 5 ? ", …" : "")}.");
    }

    /// <summary>The tensors that make up a parameter, one below the other.</summary>
    public string[] Of(string parameter) => [.. Unwrapped(parameter).Select(name => Wrapper + name)];

    /// <summary>Whether a tensor stands in the file that the published model does not read either.</summary>
    public bool IsUnread(string name) =>
        // What older timm versions stored of Swin follows from the configuration; Hugging Face's image classifiers have no pooler.
        Swin && (name.EndsWith(".relative_position_index", StringComparison.Ordinal) || name.EndsWith(".attn_mask", StringComparison.Ordinal))
        || Kind == CheckpointKind.HuggingFace && name.Contains("pooler.dense.", StringComparison.Ordinal);

    string[] Unwrapped(string parameter)
    {
        if (mergingLast && Merging().Match(parameter) is { Success: true } merging)
            return [$"layers.{int.Parse(merging.Groups[1].Value) - 1}.{merging.Groups[2].Value}"];
        var dot = parameter.LastIndexOf('.');
        var leaf = dot >= 0 && parameter[(dot + 1)..] is "weight" or "bias" ? parameter[(dot + 1)..] : "";
        var stem = leaf == "" ? parameter : parameter[..dot];
        var number = BlockNumber().Match(stem).Groups[1].Value;
        if (!stems.TryGetValue(number == "" ? stem : BlockNumber().Replace(stem, "blocks.*."), out var theirs))
            return [parameter];
        theirs = theirs.Replace("*", number);
        if (Kind == CheckpointKind.Jax && leaf == "weight")
            leaf = stem.Contains("norm", StringComparison.Ordinal) ? "scale" : "kernel";
        if (leaf != "")
            theirs += theirs.EndsWith('_') ? leaf : Kind == CheckpointKind.Jax ? $"/{leaf}" : $".{leaf}";
        return theirs.Contains('@') ? [.. Thirds.Select(third => theirs.Replace("@", third))] : [theirs];
    }

    /// <summary>A tensor of the checkpoint in the model's layout: JAX has kernels [in, out], and heads apart.</summary>
    public Tensor Turn(string parameter, Tensor value) => !Turns ? value : parameter switch
    {
        "patch_embed.proj.weight" when value.dim() == 4 => value.permute(3, 2, 0, 1),
        _ when parameter.EndsWith(".attn.qkv.weight", StringComparison.Ordinal) && value.dim() == 3 => value.flatten(1).t(),
        _ when parameter.EndsWith(".attn.qkv.bias", StringComparison.Ordinal) && value.dim() == 2 => value.flatten(),
        _ when parameter.EndsWith(".attn.proj.weight", StringComparison.Ordinal) && value.dim() == 3 => value.flatten(0, 1).t(),
        _ when parameter.EndsWith(".weight", StringComparison.Ordinal) && value.dim() == 2 => value.t(),
        _ => value,
    };

    [GeneratedRegex(@"^layers\.([0-9]+)\.(downsample\..+)$")]
    private static partial Regex Merging();

    [GeneratedRegex(@"^blocks\.([0-9]+)\.")]
    private static partial Regex BlockNumber();
}
