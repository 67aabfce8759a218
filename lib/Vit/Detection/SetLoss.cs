using static TorchSharp.torch;

namespace Vit.Detection;

/// <summary>DETR's loss of a set of boxes (arXiv:2005.12872, section 3.1): each true object is paired with one query, and the pairs are compared.</summary>
/// <remarks>The defaults are DETR's own weights. What is drawn for matching is not differentiated.</remarks>
public sealed record SetLoss
{
    /// <summary>Of the cross-entropy, and of the class's probability in matching.</summary>
    public double ClassWeight { get; init; } = 1;

    /// <summary>Of the sum of the four absolute differences.</summary>
    public double L1Weight { get; init; } = 5;

    /// <summary>Of 1 minus generalised IoU.</summary>
    public double GeneralizedIoUWeight { get; init; } = 2;

    /// <summary>How much a query without an object counts in the cross-entropy, beside 1 for one with an object.</summary>
    public double NoObjectWeight { get; init; } = 0.1;

    /// <summary>The loss of a batch.</summary>
    /// <param name="predictions">Of B images and Q queries.</param>
    /// <param name="labels">[B, M], int64; from 0 to K − 1, or -1 where an image has fewer than M objects.</param>
    /// <param name="boxes">[B, M, 4], centre form, in fractions of the image.</param>
    /// <returns>One number: the mean cross-entropy over queries, weighted, and the mean difference over objects.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together, a label is no class, or there are more objects than queries.</exception>
    public Tensor Of(BoxPredictions predictions, Tensor labels, Tensor boxes)
    {
        using var scope = NewDisposeScope();
        var (logits, none) = (predictions.Logits, predictions.Logits.shape[^1] - 1);
        var (image, query, found) = Pairs(Match(predictions, labels, boxes));
        var (right, wanted) = (labels[image, found], boxes[image, found]);                    // [O], [O, 4]

        var target = full(logits.shape[..2], none, int64, logits.device);
        target.index_put_(right, image, query);
        var weight = ones(none + 1, device: logits.device);
        weight[none] = NoObjectWeight;
        var loss = ClassWeight * nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), weight);
        if (right.numel() > 0)
        {
            var guess = predictions.Boxes[image, query];                                      // [O, 4]
            var agreement = Boxes.GeneralizedIoU(Boxes.ToCorners(guess), Boxes.ToCorners(wanted));
            loss = loss + L1Weight * (guess - wanted).abs().sum(-1).mean() + GeneralizedIoUWeight * (1 - agreement).mean();
        }
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>Which query answers for which object: the pairs with the smallest sum of costs.</summary>
    /// <param name="predictions">Of B images and Q queries.</param>
    /// <param name="labels">As for <see cref="Of"/>.</param>
    /// <param name="boxes">As for <see cref="Of"/>.</param>
    /// <returns>[B, M], int64: for each object its query; -1 where there is no object.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Of"/>.</exception>
    public Tensor Match(BoxPredictions predictions, Tensor labels, Tensor boxes)
    {
        using var scope = NewDisposeScope();
        var cost = Costs(predictions, labels, boxes).cpu().to(float64).contiguous();
        var (B, M, Q) = ((int)cost.shape[0], (int)cost.shape[1], (int)cost.shape[2]);
        var (costs, known) = (cost.data<double>().ToArray(), labels.cpu().contiguous().data<long>().ToArray());
        var matched = new long[B * M];
        Array.Fill(matched, -1);
        for (var b = 0; b < B; b++)
        {
            int[] objects = [.. Enumerable.Range(b * M, M).Where(i => known[i] >= 0)];
            if (objects.Length > Q)
                throw new ArgumentException($"Each object takes a query of its own, but image {b} has {objects.Length} objects and the model {Q} queries.", nameof(labels));
            var table = new double[objects.Length, Q];
            for (var row = 0; row < objects.Length; row++)
                for (var column = 0; column < Q; column++)
                    table[row, column] = costs[objects[row] * Q + column];
            var query = Matching.Assign(table);
            for (var row = 0; row < objects.Length; row++)
                matched[objects[row]] = query[row];
        }
        return tensor(matched, [B, M], device: labels.device).MoveToOuterDisposeScope();
    }

    /// <summary>What it costs to pair an object with a query: distance and disagreement of the boxes, minus the probability of the right class.</summary>
    /// <param name="predictions">Of B images and Q queries.</param>
    /// <param name="labels">As for <see cref="Of"/>.</param>
    /// <param name="boxes">As for <see cref="Of"/>.</param>
    /// <returns>[B, M, Q]; what stands in the rows without an object means nothing.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Of"/>.</exception>
    public Tensor Costs(BoxPredictions predictions, Tensor labels, Tensor boxes)
    {
        CheckObjects(labels, boxes);
        var (logits, guess) = (predictions.Logits, predictions.Boxes);
        if (logits.dim() != 3 || logits.shape[0] != labels.shape[0] || !guess.shape.SequenceEqual([logits.shape[0], logits.shape[1], 4]))
            throw new ArgumentException(
                $"For {labels.shape[0]} images predictions are [{labels.shape[0]}, Q, K + 1] and [{labels.shape[0]}, Q, 4], given were {Shape.Of(logits)} and {Shape.Of(guess)}.", nameof(predictions));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        if (labels.numel() > 0 && labels.max().item<long>() is var largest && largest >= logits.shape[2] - 1)
            throw new ArgumentException($"The classes are numbered from 0 to {logits.shape[2] - 2}, and the labels hold {largest}.", nameof(labels));
        var probability = logits.softmax(-1).transpose(1, 2)                                  // [B, K + 1, Q]
            .gather(1, labels.clamp_min(0).unsqueeze(-1).expand(-1, -1, logits.shape[1]));   // [B, M, Q]
        var (theirs, ours) = (guess.unsqueeze(1), boxes.unsqueeze(2));                        // [B, 1, Q, 4], [B, M, 1, 4]
        var distance = (theirs - ours).abs().sum(-1);
        var agreement = Boxes.GeneralizedIoU(Boxes.ToCorners(theirs), Boxes.ToCorners(ours));
        return (L1Weight * distance - GeneralizedIoUWeight * agreement - ClassWeight * probability).MoveToOuterDisposeScope();
    }

    // The numbers of image, query and object of each pair.
    static (Tensor Image, Tensor Query, Tensor Object) Pairs(Tensor matched)
    {
        var pairs = matched.ge(0).nonzero();                                                  // [O, 2]
        var (image, found) = (pairs.select(1, 0), pairs.select(1, 1));
        return (image, matched[image, found], found);
    }

    internal static void CheckObjects(Tensor labels, Tensor boxes)
    {
        if (labels.dim() != 2 || labels.dtype != ScalarType.Int64 || !boxes.shape.SequenceEqual([labels.shape[0], labels.shape[1], 4]))
            throw new ArgumentException($"Labels [B, M] of int64 go with boxes [B, M, 4], given were {Shape.Of(labels)} of {labels.dtype} and {Shape.Of(boxes)}.", nameof(labels));
    }
}
