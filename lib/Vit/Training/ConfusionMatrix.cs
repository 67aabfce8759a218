using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>How often a model took each class for each. What never happened takes no memory.</summary>
public sealed class ConfusionMatrix
{
    readonly Dictionary<(int Truth, int Predicted), long> counts = [];

    /// <summary>An empty matrix.</summary>
    /// <param name="classes">K.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no class.</exception>
    public ConfusionMatrix(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Classes = classes;
    }

    /// <summary>K.</summary>
    public int Classes { get; }

    /// <summary>How often images of class <paramref name="truth"/> were taken for <paramref name="predicted"/>.</summary>
    public long this[int truth, int predicted] => counts.GetValueOrDefault((truth, predicted));

    /// <summary>Counts a batch.</summary>
    /// <param name="labels">[B], int64: the true classes.</param>
    /// <param name="predictions">[B], int64.</param>
    /// <exception cref="ArgumentException">They are not equally long, or hold something else than classes.</exception>
    public void Add(Tensor labels, Tensor predictions)
    {
        if (labels.dim() != 1 || !labels.shape.SequenceEqual(predictions.shape))
            throw new ArgumentException($"Labels and predictions are both [B], given were {Shape.Of(labels)} and {Shape.Of(predictions)}.", nameof(predictions));
        using var scope = NewDisposeScope();
        var pairs = labels.to(int64).cpu().data<long>().ToArray().Zip(predictions.to(int64).cpu().data<long>().ToArray()).ToArray();
        foreach (var (truth, predicted) in pairs)
            if (truth < 0 || truth >= Classes || predicted < 0 || predicted >= Classes)
                throw new ArgumentException($"Classes are 0 to {Classes - 1}, given was {(truth < 0 || truth >= Classes ? truth : predicted)}.", nameof(labels));
        foreach (var (truth, predicted) in pairs)
            counts[((int)truth, (int)predicted)] = this[(int)truth, (int)predicted] + 1;
    }

    /// <summary>Images counted.</summary>
    public long Total => counts.Values.Sum();

    /// <summary>The share that was taken for what it is, from 0 to 1; NaN where nothing was counted.</summary>
    public double Accuracy => (double)Enumerable.Range(0, Classes).Sum(k => this[k, k]) / Total;

    /// <summary>The share of each class's images that was recognised (recall), [K]; NaN for a class without images.</summary>
    public IReadOnlyList<double> AccuracyByClass
    {
        get
        {
            var images = new long[Classes];
            foreach (var ((truth, _), count) in counts)
                images[truth] += count;
            return [.. images.Select((all, k) => (double)this[k, k] / all)];
        }
    }

    /// <summary>The counts as a tensor, int64 [K, K]: row the true class, column the predicted one.</summary>
    public Tensor ToTensor()
    {
        using var scope = NewDisposeScope();
        var places = tensor(counts.Keys.Select(it => (long)it.Truth * Classes + it.Predicted).ToArray());
        return zeros((long)Classes * Classes, int64).scatter_(0, places, tensor(counts.Values.ToArray()))
            .reshape(Classes, Classes).MoveToOuterDisposeScope();
    }
}
