namespace Vit.Detection;

/// <summary>How good found boxes are: precision, recall, and the area under their curve.</summary>
/// <remarks>
/// Found boxes of all images are walked through from the surest to the least sure. Each takes the true box of its image and class
/// that it overlaps most among those that no box before it has taken; if their IoU is at least the threshold it is right, else wrong.
/// </remarks>
public static class AveragePrecision
{
    /// <summary>COCO's thresholds: 0.50, 0.55, … 0.95 (arXiv:1405.0312).</summary>
    public static IReadOnlyList<double> CocoThresholds { get; } = [.. Enumerable.Range(0, 10).Select(i => (50 + 5 * i) / 100.0)];

    /// <summary>Which found boxes are right: those that have taken an object.</summary>
    /// <param name="found">In any order.</param>
    /// <param name="truth">The boxes that should be found.</param>
    /// <param name="threshold">The least IoU of a right box, above 0 and at most 1.</param>
    /// <returns>The found boxes from the surest on, of equal ones first that which was given first; and the true box that each has taken, null where it is wrong.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not above 0 and at most 1.</exception>
    public static IReadOnlyList<(ScoredBox Box, ScoredBox? Object)> Judge(IEnumerable<ScoredBox> found, IEnumerable<ScoredBox> truth, double threshold = 0.5)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(truth);
        if (threshold is not (> 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The least IoU of a right box lies above 0 and is at most 1.");
        var free = truth.GroupBy(box => (box.Image, box.Label)).ToDictionary(group => group.Key, group => group.ToList());
        return [.. found.OrderByDescending(box => box.Score).Select(box => (box, Taken(box)))];

        ScoredBox? Taken(ScoredBox box)
        {
            if (!free.TryGetValue((box.Image, box.Label), out var left) || left.MaxBy(box.IoU) is not { } best || box.IoU(best) < threshold)
                return null;
            left.Remove(best);
            return best;
        }
    }

    /// <summary>Precision (the share of found boxes that are right) and recall (the share of true boxes that are found), after each found box.</summary>
    /// <param name="found">As for <see cref="Judge"/>.</param>
    /// <param name="truth">At least one box.</param>
    /// <param name="threshold">As for <see cref="Judge"/>.</param>
    /// <returns>A point for each found box, from the surest on.</returns>
    /// <exception cref="ArgumentException">There is no true box.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not above 0 and at most 1.</exception>
    public static IReadOnlyList<(double Precision, double Recall)> Curve(IEnumerable<ScoredBox> found, IEnumerable<ScoredBox> truth, double threshold = 0.5)
    {
        ScoredBox[] boxes = [.. truth];
        CheckTruth(boxes.Length);
        var right = 0;
        return [.. Judge(found, boxes, threshold).Select((it, i) => ((double)(right += it.Object is null ? 0 : 1) / (i + 1), (double)right / boxes.Length))];
    }

    /// <summary>The area under the curve, all classes as one: the precision of each recall is the best of this recall and of all higher ones (PASCAL VOC from 2010 on).</summary>
    /// <param name="found">As for <see cref="Judge"/>; boxes of one class, as a rule.</param>
    /// <param name="truth">As for <see cref="Curve"/>.</param>
    /// <param name="threshold">As for <see cref="Judge"/>.</param>
    /// <returns>From 0 to 1.</returns>
    /// <exception cref="ArgumentException">There is no true box.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not above 0 and at most 1.</exception>
    public static double Of(IEnumerable<ScoredBox> found, IEnumerable<ScoredBox> truth, double threshold = 0.5)
    {
        var curve = Curve(found, truth, threshold);
        double area = 0, best = 0;
        for (var i = curve.Count - 1; i >= 0; i--)
        {
            best = Math.Max(best, curve[i].Precision);
            area += best * (curve[i].Recall - (i > 0 ? curve[i - 1].Recall : 0));
        }
        return area;
    }

    /// <summary>The mean over the classes that have a true box (mAP).</summary>
    /// <param name="found">As for <see cref="Judge"/>.</param>
    /// <param name="truth">As for <see cref="Curve"/>.</param>
    /// <param name="thresholds">The mean over these as well; null for 0.5 alone. With <see cref="CocoThresholds"/> it is COCO's AP, but for its 101 points of recall.</param>
    /// <returns>From 0 to 1.</returns>
    /// <exception cref="ArgumentException">There is no true box or no threshold.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A threshold is not above 0 and at most 1.</exception>
    public static double Mean(IEnumerable<ScoredBox> found, IEnumerable<ScoredBox> truth, IReadOnlyList<double>? thresholds = null)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(truth);
        thresholds ??= [0.5];
        if (thresholds.Count == 0)
            throw new ArgumentException("A mean over thresholds takes at least 1, given were 0.", nameof(thresholds));
        var (guesses, classes) = (found.ToLookup(box => box.Label), truth.ToLookup(box => box.Label));
        CheckTruth(classes.Count);
        return classes.Average(of => thresholds.Average(threshold => Of(guesses[of.Key], of, threshold)));
    }

    static void CheckTruth(int count)
    {
        if (count == 0)
            throw new ArgumentException("Recall is a share of the true boxes, found was none of them, expected at least 1.", "truth");
    }
}
