using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>
/// The Vision Transformer (arXiv:2010.11929, Eq. 1–4); with a second token that learns from a teacher, DeiT
/// (arXiv:2012.12877, section 4).
/// </summary>
/// <remarks>
/// The fields carry timm's names, so that <c>state_dict</c> is timm's. Parts are called, not only run forward: hooks fire.
/// </remarks>
public sealed class VisionTransformer : nn.Module<Tensor, Tensor>
{
    /// <summary>Images to vectors.</summary>
    public readonly PatchEmbedding patch_embed;

    /// <summary>In front of the sequence, [1, 1, D]: what the class is read from (x_class in Eq. 1); null where the model has none.</summary>
    public readonly Parameter? cls_token;

    /// <summary>After the class token, [1, 1, D]: what the teacher's answer is read from; null but in DeiT.</summary>
    public readonly Parameter? dist_token;

    /// <summary>
    /// Before the patches, [1, R, D]: nothing is read from them, they are room for what belongs to no patch
    /// (arXiv:2309.16588); null where the model has none.
    /// </summary>
    public readonly Parameter? reg_token;

    /// <summary>What is added to the tokens (E_pos in Eq. 1), [1, T, D]: a parameter where it is learned, else a buffer; null where the model has none.</summary>
    public readonly Tensor? pos_embed;

    /// <summary>The encoder.</summary>
    public readonly ModuleList<EncoderBlock> blocks;

    /// <summary>After the last block, of every token; null where the mean is normalised instead.</summary>
    public readonly LayerNorm? norm;

    /// <summary>Of the mean of the patches; null where every token is normalised instead.</summary>
    public readonly LayerNorm? fc_norm;

    /// <summary>The tanh layer before the head; null where the model has none.</summary>
    public readonly Linear? pre_logits;

    /// <summary>Weight [K, D]; null without classes.</summary>
    [field: ComponentName(Name = nameof(head))]
    public Linear? head { get; private set; }

    /// <summary>Of the distillation token; weight [K, D]; null but in DeiT.</summary>
    [field: ComponentName(Name = nameof(head_dist))]
    public Linear? head_dist { get; private set; }

    /// <summary>What the model was made from.</summary>
    public VisionTransformerConfig Config { get; private set; }

    /// <summary>The share of patches, chosen anew for each image, that the encoder does not see in training (arXiv:2208.07220).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The share is less than 0, or 1 and more.</exception>
    public double PatchDropout
    {
        get;
        set => field = value is >= 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "The share of patches lies from 0 to below 1.");
    }

    /// <summary>Creates the model with fresh weights, initialised as in the paper's code.</summary>
    /// <exception cref="ArgumentException">The parts do not fit one another; the message says what would.</exception>
    public VisionTransformer(VisionTransformerConfig config) : base(nameof(VisionTransformer))
    {
        config.Check();
        Config = config;
        var width = config.Width;
        patch_embed = new PatchEmbedding(config.Channels, config.PatchSize, width);
        if (config.HasClassToken)
            cls_token = nn.Parameter(zeros(1, 1, width));
        if (config.Distilled)
            dist_token = nn.Parameter(zeros(1, 1, width));
        if (config.RegisterTokens > 0)
            reg_token = nn.Parameter(randn(1, config.RegisterTokens, width) * 1e-6);   // close to zero, and each different
        if (config.Positions != PositionKind.None)
            pos_embed = PositionEmbedding.Table(
                config.Positions, config.GridRows, config.GridColumns, width, config.PatchPositionsOnly ? 0 : config.ExtraTokens);
        blocks = [.. Enumerable.Range(0, config.Layers).Select(config.Block)];
        if (config.Pooling == Pooling.Mean && !config.NormBeforePooling)
            fc_norm = nn.LayerNorm(width, config.LayerNormEpsilon);
        else
            norm = nn.LayerNorm(width, config.LayerNormEpsilon);
        if (config.PreLogitsWidth is int preLogitsWidth)
        {
            pre_logits = Initialization.Linear(width, preLogitsWidth);
            Initialization.XavierUniform(pre_logits);
        }
        head = Initialization.Head(HeadWidth, config.Classes);
        if (config.Distilled)
            head_dist = Initialization.Head(HeadWidth, config.Classes);
        RegisterComponents();
    }

    int HeadWidth => Config.PreLogitsWidth ?? Config.Width;

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K], whose softmax gives class probabilities; in DeiT the mean of both heads'. Without classes what the head would read, [B, D].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return ForwardHead(Normed(Read(Encode(images, scope)))).MoveToOuterDisposeScope();
    }

    /// <summary>All tokens after the last block and the final LayerNorm; a model with <see cref="fc_norm"/> normalises later.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>[B, T, D].</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public Tensor ForwardFeatures(Tensor images)
    {
        using var scope = NewDisposeScope();
        return Normed(Encode(images, scope)).MoveToOuterDisposeScope();
    }

    /// <summary>The same of some of the patches, as if the images had no others: what a masked autoencoder shows (arXiv:2111.06377).</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="shown">Which patches of each image, [B, V], int64, from 0 to N - 1.</param>
    /// <returns>[B, E + V, D], after the E tokens in front the patches in the order of <paramref name="shown"/>.</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for, or the patches are not [B, V].</exception>
    public Tensor ForwardFeatures(Tensor images, Tensor shown)
    {
        if (shown.dim() != 2 || shown.shape[0] != images.shape[0] || shown.shape[1] == 0 || shown.dtype != ScalarType.Int64)
            throw new ArgumentException($"Which patches are shown is [B, V] for B images and at least one patch, int64, given were {Shape.Of(shown)}, {shown.dtype}, for {Shape.Of(images)}.", nameof(shown));
        using var scope = NewDisposeScope();
        return Normed(Through(Dropout(Only(Place(Patch(images)), shown)), scope)).MoveToOuterDisposeScope();
    }

    /// <summary>What follows <see cref="ForwardFeatures(Tensor)"/> (Eq. 4).</summary>
    /// <param name="tokens">[B, T, D], of which the first suffice where nothing else is read.</param>
    /// <param name="preLogits">Whether to stop before the head, and before the tanh layer where there is one.</param>
    /// <returns>Logits, [B, K]; before the head [B, D].</returns>
    public Tensor ForwardHead(Tensor tokens, bool preLogits = false)
    {
        using var scope = NewDisposeScope();
        var features = Pool(tokens);
        return (!preLogits ? Classify(features) : Config.Distilled ? features.mean([1]) : features).MoveToOuterDisposeScope();
    }

    /// <summary>The tokens after some of the blocks; what follows the last of them is not computed.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="layers">Which blocks, counted from 0.</param>
    /// <param name="norm">Whether to give each through the final LayerNorm, as if the model ended there.</param>
    /// <returns>[B, T, D] each, in the order asked for.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public IReadOnlyList<Tensor> Intermediates(Tensor images, IReadOnlyList<int> layers, bool norm = false)
    {
        foreach (var layer in layers)
            if (layer < 0 || layer >= Config.Layers)
                throw new ArgumentOutOfRangeException(nameof(layers), layer, $"The blocks are numbered from 0 to {Config.Layers - 1}.");
        using var scope = NewDisposeScope();
        var found = new Dictionary<int, Tensor>();
        var tokens = Embed(Patch(images));
        for (var layer = 0; layer <= layers.DefaultIfEmpty(-1).Max(); layer++)
        {
            tokens = blocks[layer].call(tokens);
            if (layers.Contains(layer))
                found.Add(layer, norm ? Normed(tokens) : tokens);
            scope.DisposeEverythingBut([tokens, .. found.Values]);
        }
        scope.MoveToOuter(found.Values);
        return [.. layers.Select(layer => found[layer])];
    }

    /// <summary>DeiT's two heads, for training: the class token's against the labels, the distillation token's against the teacher.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <returns>Logits, [B, K] each.</returns>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    /// <exception cref="InvalidOperationException">The model has no distillation token.</exception>
    public (Tensor Class, Tensor Distillation) Heads(Tensor images)
    {
        if (!Config.Distilled)
            throw new InvalidOperationException("This model has one head: a second one comes with VisionTransformerConfig.Distilled.");
        using var scope = NewDisposeScope();
        var (@class, distillation) = Answers(Pool(Normed(Read(Encode(images, scope)))));
        return (@class.MoveToOuterDisposeScope(), distillation.MoveToOuterDisposeScope());
    }

    /// <summary>The same logits as <see cref="forward"/>, with all that was computed on the way.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <exception cref="ArgumentException">The images have another size or other channels than the model was made for.</exception>
    public VisionTransformerTrace Trace(Tensor images)
    {
        using var scope = NewDisposeScope();
        var patches = Patch(images);
        var embedded = Embed(patches);
        var traces = EncoderBlockTrace.Through(blocks, embedded);
        var features = Pool(Normed(Read(traces[^1].Tokens)));
        return new VisionTransformerTrace(patches, embedded, traces, features, Classify(features)).MoveOutOf(scope);
    }

    /// <summary>Gives the model a fresh head, zero as before fine-tuning.</summary>
    /// <param name="classes">K; 0 for no head.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public void ResetClassifier(int classes)
    {
        head = Initialization.ResetHead(this, nameof(head), HeadWidth, classes);
        if (Config.Distilled)
            head_dist = Initialization.ResetHead(this, nameof(head_dist), HeadWidth, classes);
        Config = Config with { Classes = classes };
    }

    Tensor Patch(Tensor images)
    {
        Config.CheckImages(images);
        return patch_embed.call(images);                 // [B, N, D]
    }

    Tensor Embed(Tensor patches)
    {
        var tokens = Place(patches);
        return Dropout(training && PatchDropout > 0 ? DropPatches(tokens) : tokens);
    }

    Tensor Dropout(Tensor tokens) => nn.functional.dropout(tokens, Config.Dropout, training);

    /// <summary>Tokens in front, positions added (Eq. 1): [B, T, D].</summary>
    Tensor Place(Tensor tokens)
    {
        if (Config.PatchPositionsOnly && pos_embed is not null)
            tokens = tokens + pos_embed;
        Tensor[] inFront = [.. new[] { cls_token, dist_token, reg_token }.OfType<Parameter>().Select(token => token.expand(tokens.shape[0], -1, -1))];
        if (inFront.Length > 0)
            tokens = cat([.. inFront, tokens], dim: 1);  // [B, T, D]
        if (!Config.PatchPositionsOnly && pos_embed is not null)
            tokens = tokens + pos_embed;
        return tokens;
    }

    Tensor DropPatches(Tensor tokens)
    {
        int patches = Config.Tokens - Config.ExtraTokens, kept = Math.Max(1, (int)Math.Round(patches * (1 - PatchDropout)));
        return Only(tokens, RandomPatches(tokens, kept));
    }

    /// <summary>Some of the patches, other ones for each image: [B, V], int64, from 0 to N - 1.</summary>
    /// <param name="images">[B, …], on the device that is wanted.</param>
    /// <param name="count">V.</param>
    internal Tensor RandomPatches(Tensor images, int count) =>
        rand(images.shape[0], Config.Tokens - Config.ExtraTokens, device: images.device).argsort(-1).slice(1, 0, count, 1);

    /// <summary>The tokens in front, and of the patches those at these places [B, V].</summary>
    Tensor Only(Tensor tokens, Tensor patches)
    {
        var index = (Config.ExtraTokens + patches).unsqueeze(-1).expand(-1, -1, Config.Width);
        return cat([tokens.slice(1, 0, Config.ExtraTokens, 1), tokens.gather(1, index)], 1);
    }

    Tensor Encode(Tensor images, DisposeScope scope) => Through(Embed(Patch(images)), scope);

    /// <summary>Through all blocks; nothing is held longer than until the next block is done.</summary>
    Tensor Through(Tensor tokens, DisposeScope scope)
    {
        tokens = scope.DisposeEverythingBut(tokens);
        foreach (var block in blocks)
            tokens = scope.DisposeEverythingBut(block.call(tokens));
        return tokens;
    }

    /// <summary>Those tokens that the head reads.</summary>
    Tensor Read(Tensor tokens) => Config.Pooling == Pooling.Mean ? tokens : tokens.slice(1, 0, Config.Distilled ? 2 : 1, 1);

    Tensor Normed(Tensor tokens) => norm is null ? tokens : norm.call(tokens);

    /// <summary>[B, T, D] → [B, D], in DeiT [B, 2, D].</summary>
    Tensor Pool(Tensor tokens)
    {
        if (Config.Distilled)
            return tokens.slice(1, 0, 2, 1);
        if (Config.Pooling == Pooling.ClassToken)
            return tokens.select(1, 0);
        var mean = tokens.slice(1, Config.ExtraTokens, tokens.shape[1], 1).mean([1]);
        return fc_norm is null ? mean : fc_norm.call(mean);
    }

    Tensor Classify(Tensor features)
    {
        if (!Config.Distilled)
            return Answer(features, head);
        var (@class, distillation) = Answers(features);
        return (@class + distillation) / 2;
    }

    (Tensor Class, Tensor Distillation) Answers(Tensor features) =>
        (Answer(features.select(1, 0), head), Answer(features.select(1, 1), head_dist));

    Tensor Answer(Tensor features, Linear? head)
    {
        if (pre_logits is not null)
            features = pre_logits.call(features).tanh();
        return head is null ? features : head.call(features);
    }
}
