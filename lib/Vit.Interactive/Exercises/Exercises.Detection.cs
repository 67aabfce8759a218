using Vit.Detection;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Which boxes are kept when each may stand only once: the surest first, and none that lies on a kept one.</summary>
    /// <param name="kept">From boxes in any order and the largest IoU that two kept boxes of one class may have, to the kept ones.</param>
    public static string NonMaximumSuppression(Func<ScoredBox[], double, ScoredBox[]> kept)
    {
        static ScoredBox Box(double left, double score, int label = 0) => new(0, label, left, 0, left + 10, 10, score);
        // The second lies on the first and the third on the second; without the second the third is alone.
        ScoredBox[] chain = [Box(0, 0.9), Box(3, 0.8), Box(6, 0.7)], two = [Box(0, 0.6), Box(1, 0.9)], classes = [Box(0, 0.9), Box(1, 0.8, label: 1)], apart = [Box(0, 0.5), Box(30, 0.4)];
        foreach (var (boxes, limit) in new[] { (apart, 0.5), (two, 0.5), (chain, 0.5), (classes, 0.5), (chain, 0.6), (chain, 0.2), ([.. chain, .. apart.Select(box => box with { Label = 2 })], 0.4) })
        {
            var expected = Kept(boxes, limit);
            var yours = kept([.. boxes], limit);
            if (yours.ToHashSet().SetEquals(expected) && yours.Length == expected.Length)
                continue;
            if (yours.Length == 0)
                return "Not yet: nothing is kept.";
            if (yours.ToHashSet().SetEquals(boxes))
                return "Not yet: every box is kept, and two of them lie on one another.";
            if (boxes == two)
                return "Not yet: of two boxes on one another the surer one stays. Which of them do you look at first?";
            if (boxes == chain && limit == 0.5)
                return "Not yet: A, B and C lie in a row, B on A and C on B, but C not on A. A removes B. May B still remove C?";
            if (boxes == classes)
                return "Not yet: a box of one class does not remove one of another.";
            return $"Not yet: of {boxes.Length} boxes you keep {yours.Length} at a limit of {limit}, it should be {expected.Length}. Is the limit where you think it is?";
        }
        return "Right. DETR leaves this out: its queries see one another, and each object is paired with one of them.";

        static ScoredBox[] Kept(ScoredBox[] boxes, double limit)
        {
            var kept = new List<ScoredBox>();
            foreach (var box in boxes.OrderByDescending(box => box.Score))
                if (kept.All(other => other.Label != box.Label || other.IoU(box) <= limit))
                    kept.Add(box);
            return [.. kept];
        }
    }

    /// <summary>Average precision as PASCAL VOC computed it until 2009: the mean of eleven precisions, at recalls of 0, 0.1, … 1.</summary>
    /// <param name="area">From the points of the curve, from the surest box on, to the average precision.</param>
    public static string ElevenPoints(Func<(double Precision, double Recall)[], double> area)
    {
        // The published example (https://github.com/rafaelpadilla/Object-Detection-Metrics): 15 objects, 24 found boxes.
        (double Precision, double Recall)[] published = Points("TFTFFFFFFTFTTTFFFFFFFFTF", 15);
        foreach (var curve in new[] { Points("TTTT", 4), Points("FT", 1), Points("TFFT", 3), published, Points("FFTTTF", 5) })
        {
            var yours = area([.. curve]);
            bool Is(double value) => Math.Abs(yours - value) < 1e-6;
            if (Is(Of(curve)))
                continue;
            if (Is(Every(curve)))
                return "Not yet: that is the area under the whole curve. Here only eleven recalls count.";
            if (Is(11 * Of(curve)))
                return "Not yet: that is the sum. It should be the mean of the eleven.";
            if (Is(Enumerable.Range(0, 11).Average(i => curve.Where(p => p.Recall >= i / 10.0 - 1e-9).Select(p => p.Precision).FirstOrDefault())))
                return "Not yet: that is the first precision with this recall or a higher one. It should be the best.";
            return $"Not yet: for a curve with {curve.Length} boxes and a highest recall of {curve[^1].Recall:F3} you get {yours:F4}, it should be {Of(curve):F4}.";
        }
        return $"Right: the published example gives {100 * Of(published):F2} %. Two rules, two numbers: say which one you use.";

        static double Of((double Precision, double Recall)[] curve) =>
            Enumerable.Range(0, 11).Average(i => curve.Where(point => point.Recall >= i / 10.0 - 1e-9).Select(point => point.Precision).DefaultIfEmpty(0).Max());

        static double Every((double Precision, double Recall)[] curve) =>
            curve.Select((point, i) => (point.Recall - (i > 0 ? curve[i - 1].Recall : 0)) * curve[i..].Max(later => later.Precision)).Sum();

        static (double Precision, double Recall)[] Points(string right, int objects) =>
            [.. right.Select((_, i) => right[..(i + 1)].Count(c => c == 'T')).Select((taken, i) => ((double)taken / (i + 1), (double)taken / objects))];
    }
}
