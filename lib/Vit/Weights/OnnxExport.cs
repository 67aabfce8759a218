using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using TorchSharp.Modules;
using Vit.Data;
using Vit.Layers;
using Vit.Models;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>Saves models as ONNX, for any runtime that reads it: input <c>images</c>, output <c>logits</c>, in float32.</summary>
public static class OnnxExport
{
    static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new JsonStringEnumConverter() } };

    /// <summary>Saves a model for inference, in opset 17.</summary>
    /// <param name="model">Takes images [batch, C, H, W] of its own size; the batch may differ from run to run.</param>
    /// <param name="path">The .onnx file, written whole or not at all.</param>
    /// <param name="preprocessing">How pictures become what the model takes, for the file's metadata: crop, filter, mean and std; null for nothing.</param>
    /// <param name="classNames">For the metadata as well; null for nothing.</param>
    /// <exception cref="ArgumentException">The model has no head, or 2 GB or more; or the names are not as many as its classes.</exception>
    public static void Save(VisionTransformer model, string path, Preprocessing? preprocessing = null, IReadOnlyList<string>? classNames = null) => Save(model, model.Config.Classes, path, preprocessing, classNames, () =>
    {
        var (config, graph) = (model.Config, new OnnxGraph(nameof(VisionTransformer)));
        var tokens = Patches(graph, config, model.patch_embed);
        if (config.PatchPositionsOnly)
            tokens = Positions(graph, tokens, model.pos_embed);
        foreach (var (name, token) in new[] { ("reg_token", model.reg_token), ("dist_token", model.dist_token), ("cls_token", model.cls_token) })
            if (token is not null)
                tokens = InFront(graph, tokens, name, token);
        if (!config.PatchPositionsOnly)
            tokens = Positions(graph, tokens, model.pos_embed);
        tokens = Encode(graph, tokens, config, model.blocks);
        string logits;
        if (config.Pooling == Pooling.Mean)
        {
            tokens = model.norm is null ? tokens : Norm(graph, tokens, "norm", model.norm, config.LayerNormEpsilon);
            var patches = graph.Node("Slice", [tokens, graph.Numbers(config.ExtraTokens), graph.Numbers(config.Tokens), graph.Numbers(1)]);
            var mean = graph.Node("ReduceMean", [patches], ("axes", new[] { 1 }), ("keepdims", 0));
            logits = Answer(model.fc_norm is null ? mean : Norm(graph, mean, "fc_norm", model.fc_norm, config.LayerNormEpsilon), "head", model.head);
        }
        else
        {
            logits = Answer(Token(0), "head", model.head);
            if (config.Distilled)
                logits = graph.Node("Mul", [graph.Node("Add", [logits, Answer(Token(1), "head_dist", model.head_dist)]), graph.Scalar(0.5)]);
        }
        graph.Output("logits", logits, "batch", config.Classes);
        return graph;

        string Token(int number) =>
            Norm(graph, graph.Node("Gather", [tokens, graph.Number(number)], ("axis", 1)), "norm", model.norm!, config.LayerNormEpsilon);

        string Answer(string features, string name, Linear? head) => Head(
            graph, model.pre_logits is null ? features : graph.Node("Tanh", [Head(graph, features, "pre_logits", model.pre_logits)]), name, head);
    });

    /// <inheritdoc cref="Save(VisionTransformer, string, Preprocessing?, IReadOnlyList{string}?)"/>
    /// <param name="model">Takes images [batch, C, height, width] of any size.</param>
    /// <param name="path">The .onnx file, written whole or not at all.</param>
    /// <param name="preprocessing">As above.</param>
    /// <param name="classNames">As above.</param>
    public static void Save(ConvNet model, string path, Preprocessing? preprocessing = null, IReadOnlyList<string>? classNames = null) => Save(model, model.Config.Classes, path, preprocessing, classNames, () =>
    {
        var (config, graph) = (model.Config, new OnnxGraph(nameof(ConvNet)));
        var features = graph.Input("images", "batch", config.Channels, "height", "width");
        features = graph.Node("Relu", [Conv(graph, features, "", model.conv, model.bn)]);
        foreach (var (block, i) in model.blocks.Select((block, i) => (block, i)))
        {
            var shortcut = block.conv_proj is null ? features : Conv(graph, features, $"blocks.{i}.proj.", block.conv_proj, block.bn_proj!);
            var hidden = graph.Node("Relu", [Conv(graph, features, $"blocks.{i}.1.", block.conv1, block.bn1)]);
            hidden = Conv(graph, hidden, $"blocks.{i}.2.", block.conv2, block.bn2);
            features = graph.Node("Relu", [graph.Node("Add", [shortcut, hidden])]);
        }
        features = graph.Node("ReduceMean", [features], ("axes", new[] { 2, 3 }), ("keepdims", 0));
        graph.Output("logits", Head(graph, features, "head", model.head), "batch", config.Classes);
        return graph;
    });

    static void Save(nn.Module model, int classes, string path, Preprocessing? preprocessing, IReadOnlyList<string>? classNames, Func<OnnxGraph> build)
    {
        if (classes == 0)
            throw new ArgumentException("The model has no head, and logits are what is exported: ResetClassifier gives it one.", nameof(model));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        if (classNames is not null && classNames.Count != classes)
            throw new ArgumentException($"The model has {classes} classes, and {classNames.Count} names were given.", nameof(classNames));
        var metadata = new Dictionary<string, string>();
        if (preprocessing is not null)
            metadata["preprocessing"] = JsonSerializer.Serialize(preprocessing, Json);
        if (classNames is not null)
            metadata["class_names"] = JsonSerializer.Serialize(classNames, Json);
        build().Save(path, metadata);
    }

    /// <summary>[B, C, H, W] → [B, N, D].</summary>
    static string Patches(OnnxGraph graph, VisionTransformerConfig config, PatchEmbedding embedding)
    {
        var images = graph.Input("images", "batch", config.Channels, config.ImageHeight, config.ImageWidth);
        var grid = graph.Node("Conv",
            [images, graph.Weight("patch_embed.proj.weight", embedding.proj.weight), graph.Weight("patch_embed.proj.bias", embedding.proj.bias!)],
            ("kernel_shape", new[] { config.PatchSize, config.PatchSize }), ("strides", new[] { config.PatchSize, config.PatchSize }));
        var patches = graph.Node("Reshape", [grid, graph.Numbers(0, config.Width, config.GridRows * config.GridColumns)]);
        return graph.Node("Transpose", [patches], ("perm", new[] { 0, 2, 1 }));
    }

    static string Positions(OnnxGraph graph, string tokens, Tensor? table) =>
        table is null ? tokens : graph.Node("Add", [tokens, graph.Weight("pos_embed", table)]);

    static string InFront(OnnxGraph graph, string tokens, string name, Tensor value)
    {
        var batch = graph.Node("Shape", [tokens], ("start", 0), ("end", 1));
        var shape = graph.Node("Concat", [batch, graph.Numbers(value.shape[1], value.shape[2])], ("axis", 0));
        return graph.Node("Concat", [graph.Node("Expand", [graph.Weight(name, value), shape]), tokens], ("axis", 1));
    }

    static string Encode(OnnxGraph graph, string tokens, VisionTransformerConfig config, IEnumerable<EncoderBlock> blocks)
    {
        foreach (var (block, i) in blocks.Select((block, i) => (block, i)))
        {
            var name = $"blocks.{i}";
            var attended = Attend(graph, Norm(graph, tokens, $"{name}.norm1", block.norm1, config.LayerNormEpsilon), config, $"{name}.attn", block.attn);
            tokens = graph.Node("Add", [tokens, Scale(graph, attended, $"{name}.ls1.gamma", block.ls1)]);
            var hidden = Linear(graph, Norm(graph, tokens, $"{name}.norm2", block.norm2, config.LayerNormEpsilon), $"{name}.mlp.fc1", block.mlp.fc1);
            var output = Linear(graph, Gelu(graph, hidden), $"{name}.mlp.fc2", block.mlp.fc2);
            tokens = graph.Node("Add", [tokens, Scale(graph, output, $"{name}.ls2.gamma", block.ls2)]);
        }
        return tokens;
    }

    static string Attend(OnnxGraph graph, string tokens, VisionTransformerConfig config, string name, MultiHeadSelfAttention attention)
    {
        var (heads, headWidth) = (config.Heads, config.Width / config.Heads);
        var qkv = graph.Node("Reshape", [Linear(graph, tokens, $"{name}.qkv", attention.qkv), graph.Numbers(0, 0, 3, heads, headWidth)]);
        string Part(long index, params int[] order) => graph.Node("Transpose", [graph.Node("Gather", [qkv, graph.Number(index)], ("axis", 2))], ("perm", order));
        var (q, k, v) = (Part(0, 0, 2, 1, 3), Part(1, 0, 2, 3, 1), Part(2, 0, 2, 1, 3));
        var scores = graph.Node("MatMul", [graph.Node("Mul", [q, graph.Scalar(1 / Math.Sqrt(headWidth))]), k]);
        var attended = graph.Node("MatMul", [graph.Node("Softmax", [scores], ("axis", -1)), v]);
        var merged = graph.Node("Reshape", [graph.Node("Transpose", [attended], ("perm", new[] { 0, 2, 1, 3 })), graph.Numbers(0, 0, config.Width)]);
        return Linear(graph, merged, $"{name}.proj", attention.proj);
    }

    /// <summary>x · Φ(x), which has an operator of its own from opset 20 on; runtimes know this pattern.</summary>
    static string Gelu(OnnxGraph graph, string x)
    {
        var erf = graph.Node("Erf", [graph.Node("Div", [x, graph.Scalar(Math.Sqrt(2))])]);
        return graph.Node("Mul", [graph.Node("Mul", [x, graph.Node("Add", [erf, graph.Scalar(1)])]), graph.Scalar(0.5)]);
    }

    static string Scale(OnnxGraph graph, string x, string name, LayerScale? scale) =>
        scale is null ? x : graph.Node("Mul", [x, graph.Weight(name, scale.gamma)]);

    static string Norm(OnnxGraph graph, string x, string name, LayerNorm norm, double epsilon) => graph.Node("LayerNormalization",
        [x, graph.Weight($"{name}.weight", norm.weight!), graph.Weight($"{name}.bias", norm.bias!)], ("axis", -1), ("epsilon", epsilon));

    static string Linear(OnnxGraph graph, string x, string name, Linear linear)
    {
        var product = graph.Node("MatMul", [x, graph.Weight($"{name}.weight", linear.weight!.t())]);
        return linear.bias is null ? product : graph.Node("Add", [product, graph.Weight($"{name}.bias", linear.bias)]);
    }

    static string Head(OnnxGraph graph, string features, string name, Linear? head) => graph.Node("Gemm",
        [features, graph.Weight($"{name}.weight", head!.weight), graph.Weight($"{name}.bias", head.bias!)], ("transB", 1));

    static string Conv(OnnxGraph graph, string x, string prefix, Conv2d conv, BatchNorm2d norm)
    {
        var (size, stride) = ((int)conv.weight.shape[2], (int)conv.stride[0]);
        var output = graph.Node("Conv", [x, graph.Weight($"{prefix}conv.weight", conv.weight)],
            ("kernel_shape", new[] { size, size }), ("strides", new[] { stride, stride }), ("pads", Enumerable.Repeat(size / 2, 4).ToArray()));
        return graph.Node("BatchNormalization",
            [output, graph.Weight($"{prefix}bn.weight", norm.weight!), graph.Weight($"{prefix}bn.bias", norm.bias!),
             graph.Weight($"{prefix}bn.mean", norm.running_mean!), graph.Weight($"{prefix}bn.var", norm.running_var!)], ("epsilon", 1e-5));
    }
}
