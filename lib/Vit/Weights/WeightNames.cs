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
        ["dist_token"] = "embeddings.distillation_token",
        ["pos_embed"] = "embeddings.position_embeddings",
        ["patch_embed.proj"] = "embeddings.patch_embeddings.projection",
        ["blocks.*.norm1"] = "encoder.layer.*.layernorm_before",
        ["blocks.*.attn.qkv"] = "encoder.layer.*.attention.attention.@",
        ["blocks.*.attn.proj"] = "encoder.layer.*.attention.output.dense",
        ["blocks.*.norm2"] = "encoder.layer.*.layernorm_after",
        ["blocks.*.mlp.fc1"] = "encoder.layer.*.intermediate.dense",
        ["blocks.*.mlp.fc2"] = "encoder.layer.*.output.dense",
        ["norm"] = "layernorm",
        ["pre_logits"] = "pooler.dense",
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

    static readonly string[] Thirds = ["query", "key", "value"];

    readonly Dictionary<string, string> stems = [];
    readonly bool mergingLast;

    public CheckpointKind Kind { get; }

    /// <summary>Whether <see cref="Turn"/> changes anything.</summary>
    public bool Turns => Kind == CheckpointKind.Jax;

    /// <param name="kind">Whose names.</param>
    /// <param name="distilled">Whether the model has a distillation token.</param>
    /// <param name="swin">Whether it is a Swin Transformer.</param>
    /// <param name="prefixed">Whether Hugging Face's names start with the model's type, as they do with a head.</param>
    /// <param name="mergingLast">Whether Swin's stages end with the merging of patches, as in its authors' files, instead of starting with it.</param>
    public WeightNames(CheckpointKind kind, bool distilled = false, bool swin = false, bool prefixed = true, bool mergingLast = false)
    {
        (Kind, this.mergingLast) = (kind, mergingLast);
        switch (kind)
        {
            case CheckpointKind.HuggingFace:
                var prefix = !prefixed ? "" : distilled ? "deit." : "vit.";
                foreach (var (ours, theirs) in HuggingFace)
                    stems.Add(ours, prefix + theirs);
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
        bool Has(string name) => file.Tensors.ContainsKey(name);
        if (Has("embedding/kernel"))
            return new WeightNames(CheckpointKind.Jax);
        if (Has("conv_proj.weight"))
            return new WeightNames(CheckpointKind.Torchvision);
        if (Has("patch_embed.proj.weight"))
            return new WeightNames(CheckpointKind.Timm, swin: Has(SwinTable), mergingLast: Has("layers.0.downsample.norm.weight"));
        foreach (var prefix in (string[])["vit.", "deit.", ""])
            if (Has($"{prefix}embeddings.patch_embeddings.projection.weight"))
                return new WeightNames(CheckpointKind.HuggingFace, Has($"{prefix}embeddings.distillation_token"), prefixed: prefix != "");
        throw new InvalidDataException(
            $"{path} is no checkpoint whose names are known: neither timm's, Hugging Face's or torchvision's Vision Transformer, nor the paper's own, nor timm's DeiT or Swin. "
            + $"It has {file.Tensors.Count} tensors: {string.Join(", ", file.Tensors.Keys.Take(5))}{(file.Tensors.Count > 5 ? ", …" : "")}.");
    }

    /// <summary>A model's parameters and what stands for them in its state, by timm's names.</summary>
    public static IEnumerable<(string Name, Tensor Value)> Of(nn.Module model) =>
        model.state_dict().Select(pair => (TokenField().Replace(pair.Key, "$1"), pair.Value));

    /// <summary>The tensors that make up a parameter, one below the other.</summary>
    public string[] Of(string parameter)
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

    // The modules of the tokens hold one parameter each, and the checkpoints name it as the module.
    [GeneratedRegex(@"^(cls_token|dist_token|reg_token|pos_embed)\.\w+$")]
    private static partial Regex TokenField();

    [GeneratedRegex(@"^layers\.([0-9]+)\.(downsample\..+)$")]
    private static partial Regex Merging();

    [GeneratedRegex(@"^blocks\.([0-9]+)\.")]
    private static partial Regex BlockNumber();
}
