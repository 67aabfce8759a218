using static TorchSharp.torch;

namespace Vit.Detection;

/// <summary>What a detector says of a batch of images: of each query a class and a box.</summary>
/// <param name="Logits">[B, Q, K + 1]; the last class is "no object".</param>
/// <param name="Boxes">[B, Q, 4], centre form, in fractions of the image.</param>
public sealed record BoxPredictions(Tensor Logits, Tensor Boxes)
{
    /// <summary>Each query's best class and its box, for all images.</summary>
    /// <param name="leastScore">Boxes with a smaller probability are left out; 0 keeps a box of each query, as average precision asks.</param>
    /// <param name="firstImage">The number of the first image.</param>
    /// <returns>Corners, in fractions of the image; the score is the probability of the class.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public IReadOnlyList<ScoredBox> Read(double leastScore = 0, int firstImage = 0)
    {
        if (Logits.dim() != 3 || Logits.shape[2] < 2 || !Boxes.shape.SequenceEqual([Logits.shape[0], Logits.shape[1], 4]))
            throw new ArgumentException($"Logits [B, Q, K + 1] go with boxes [B, Q, 4], given were {Shape.Of(Logits)} and {Shape.Of(Boxes)}.", nameof(Boxes));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (best, which) = Logits.to(float32).softmax(-1).narrow(-1, 0, Logits.shape[2] - 1).max(-1);
        var (scores, labels) = (best.cpu().data<float>().ToArray(), which.cpu().data<long>().ToArray());
        return ScoredBox.Of(Boxes, labels, i => scores[i] >= leastScore, i => scores[i], firstImage);
    }

    /// <summary>Hands both tensors to the dispose scope around the present one.</summary>
    public BoxPredictions MoveToOuterDisposeScope() => new(Logits.MoveToOuterDisposeScope(), Boxes.MoveToOuterDisposeScope());
}
