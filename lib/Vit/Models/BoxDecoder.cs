using TorchSharp.Modules;
using Vit.Data;
using Vit.Detection;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Models;

/// <summary>Learned queries look at an encoder's tokens, and each answers with one class and one box (DETR, arXiv:2005.12872, section 3.2).</summary>
/// <remarks>
/// Each query has a box of its own to start from, as in DAB-DETR (arXiv:2201.12329): the box head says by how much the answer differs from it.
/// </remarks>
public sealed class BoxDecoder : nn.Module<Tensor, IReadOnlyList<BoxPredictions>>
{
    /// <summary>Where each query looks first, [1, Q, D]: added to it before it looks, in each block.</summary>
    public readonly Parameter query_pos;

    /// <summary>Added to the encoder's tokens, so that they can be found by their place; 2-D sines, a buffer, [1, T, D].</summary>
    public readonly Tensor pos_embed;

    /// <summary>The box that each query starts from, before the sigmoid, [Q, 4]: at first spread over the image.</summary>
    public readonly Parameter anchor;

    /// <summary>The decoder.</summary>
    public readonly ModuleList<DecoderBlock> blocks;

    /// <summary>After each block, before the heads.</summary>
    public readonly LayerNorm norm;

    /// <summary>Weight [K + 1, D]; the last class is "no object".</summary>
    public readonly Linear class_head;

    /// <summary>The box head's hidden layer, weight [D, D].</summary>
    public readonly Linear box_hidden;

    /// <summary>Weight [4, D].</summary>
    public readonly Linear box_head;

    /// <summary>What the decoder was made from.</summary>
    public BoxDecoderConfig Config { get; }

    /// <summary>Creates a fresh decoder; its box head starts at zero.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the width does not fit the heads.</exception>
    public BoxDecoder(BoxDecoderConfig config) : base(nameof(BoxDecoder))
    {
        if (config.Queries < 1 || config.Classes < 1 || config.Layers < 1 || config.MlpWidth < 1 || config.GridRows < 1 || config.GridColumns < 1)
            throw new ArgumentException(
                $"Queries, classes, blocks, the feed-forward's width and the sides of the grid are at least 1, given were {config.Queries}, {config.Classes}, {config.Layers}, {config.MlpWidth}, {config.GridRows} and {config.GridColumns}.", nameof(config));
        Config = config;
        var (Q, D) = (config.Queries, config.Width);
        var (columns, rows) = Grid(Q);
        pos_embed = PositionEmbedding.Table(PositionKind.SinCos2D, config.GridRows, config.GridColumns, D);
        using (var coarse = PositionResampling.Resample(pos_embed, 0, (config.GridRows, config.GridColumns), (rows, columns), Interpolation.Bilinear, antialias: false))
            query_pos = nn.Parameter(coarse.narrow(1, 0, Q).clone());
        anchor = nn.Parameter(Spread(Q, rows, columns));
        blocks = [.. Enumerable.Range(0, config.Layers).Select(_ => new DecoderBlock(D, config.Heads, config.MlpWidth))];
        norm = nn.LayerNorm(D, 1e-6);
        class_head = Initialization.Linear(D, config.Classes + 1);
        box_hidden = Initialization.Linear(D, D);
        box_head = Initialization.Head(D, 4)!;
        RegisterComponents();
    }

    /// <param name="memory">An encoder's tokens, [B, T, D].</param>
    /// <returns>The answers after each block; the last ones count.</returns>
    /// <exception cref="ArgumentException">The tokens are not [B, T, D].</exception>
    public override IReadOnlyList<BoxPredictions> forward(Tensor memory)
    {
        using var scope = NewDisposeScope();
        var answers = new List<BoxPredictions>();
        memory = Placed(memory);
        var queries = zeros_like(query_pos).expand(memory.shape[0], -1, -1);                   // [B, Q, D]
        foreach (var block in blocks)
        {
            queries = block.call(queries, memory, query_pos);
            answers.Add(Answer(queries));
        }
        return [.. answers.Select(it => it.MoveToOuterDisposeScope())];
    }

    /// <summary>Where each query of the last block looked.</summary>
    /// <param name="memory">An encoder's tokens, [B, T, D].</param>
    /// <returns>The answers, and the attention weights, [B, h, Q, T].</returns>
    /// <exception cref="ArgumentException">The tokens are not [B, T, D].</exception>
    public (BoxPredictions Answers, Tensor Weights) Trace(Tensor memory)
    {
        using var scope = NewDisposeScope();
        memory = Placed(memory);
        var queries = zeros_like(query_pos).expand(memory.shape[0], -1, -1);
        for (var layer = 0; layer < blocks.Count - 1; layer++)
            queries = blocks[layer].call(queries, memory, query_pos);
        var (last, weights) = blocks[^1].Trace(queries, memory, query_pos);
        return (Answer(last).MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope());
    }

    BoxPredictions Answer(Tensor queries)
    {
        var read = norm.call(queries);
        var change = box_head.call(box_hidden.call(read).relu());
        return new(class_head.call(read), (anchor + change).sigmoid());
    }

    Tensor Placed(Tensor memory)
    {
        if (memory.dim() != 3 || !memory.shape[1..].SequenceEqual(pos_embed.shape[1..]))
            throw new ArgumentException($"The decoder looks at tokens [B, {pos_embed.shape[1]}, {pos_embed.shape[2]}], given were {Shape.Of(memory)}.", nameof(memory));
        return memory + pos_embed;
    }

    /// <summary>The smallest grid, nearly square, with a place for each query.</summary>
    static (int Columns, int Rows) Grid(int queries)
    {
        var columns = (int)Math.Ceiling(Math.Sqrt(queries));
        return (columns, (queries + columns - 1) / columns);
    }

    /// <summary>Centres on a grid, row by row; each box is a third of the image wide and high.</summary>
    static Tensor Spread(int queries, int rows, int columns)
    {
        var boxes = Enumerable.Range(0, queries).SelectMany(i => new[] { (i % columns + 0.5f) / columns, (i / columns + 0.5f) / rows, 1 / 3f, 1 / 3f });
        using var scope = NewDisposeScope();
        return tensor(boxes.ToArray(), [queries, 4]).logit().MoveToOuterDisposeScope();
    }
}
