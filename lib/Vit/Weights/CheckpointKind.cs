namespace Vit.Weights;

/// <summary>Whose names and layout a checkpoint has.</summary>
public enum CheckpointKind
{
    /// <summary>timm's: <c>blocks.0.attn.qkv.weight</c>. This library's models carry the same names.</summary>
    Timm,

    /// <summary>transformers': <c>vit.encoder.layer.0.attention.attention.query.weight</c>.</summary>
    HuggingFace,

    /// <summary>torchvision's: <c>encoder.layers.encoder_layer_0.self_attention.in_proj_weight</c>.</summary>
    Torchvision,

    /// <summary>The paper's own: <c>Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel</c>.</summary>
    Jax,

    /// <summary>That of this library's <see cref="Vit.Training.Trainer"/>.</summary>
    Training,
}
