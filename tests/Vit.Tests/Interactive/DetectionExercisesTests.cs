using Vit.Detection;
using Vit.Interactive;

namespace Vit.Tests.Interactive;

public sealed class DetectionExercisesTests
{
    static ScoredBox[] Kept(ScoredBox[] boxes, double limit, bool byClass = true, bool sorted = true, bool removedRemove = false)
    {
        var (kept, all) = (new List<ScoredBox>(), sorted ? [.. boxes.OrderByDescending(box => box.Score)] : boxes);
        foreach (var box in all)
            if ((removedRemove ? all.TakeWhile(other => other != box) : kept).All(other => (byClass && other.Label != box.Label) || other.IoU(box) <= limit))
                kept.Add(box);
        return [.. kept];
    }

    [Fact]
    public void Suppression_is_told_from_each_mistake()
    {
        Says("Right.", (boxes, limit) => Kept(boxes, limit));
        Says("Not yet: nothing is kept", (_, _) => []);
        Says("Not yet: every box is kept", (boxes, _) => boxes);
        Says("Not yet: of two boxes", (boxes, limit) => Kept(boxes, limit, sorted: false));
        Says("Not yet: A, B and C", (boxes, limit) => Kept(boxes, limit, removedRemove: true));
        Says("Not yet: a box of one class", (boxes, limit) => Kept(boxes, limit, byClass: false));
        Says("Not yet: of 3 boxes you keep 2 at a limit of 0.6, it should be 3", (boxes, _) => Kept(boxes, 0.5));

        static void Says(string answer, Func<ScoredBox[], double, ScoredBox[]> kept) => Assert.StartsWith(answer, Exercises.NonMaximumSuppression(kept));
    }

    static double Eleven((double Precision, double Recall)[] curve, Func<IEnumerable<double>, double> of, int points = 11) =>
        Enumerable.Range(0, points).Average(i => of(curve.Where(p => p.Recall >= i / 10.0 - 1e-9).Select(p => p.Precision).DefaultIfEmpty(0)));

    [Fact]
    public void Eleven_points_are_told_from_each_mistake()
    {
        // The published value is 26.84 %.
        Says("Right: the published example gives 26.84 %", curve => Eleven(curve, Enumerable.Max));
        Says("Not yet: that is the first precision", curve => Eleven(curve, Enumerable.First));
        Says("Not yet: that is the sum", curve => 11 * Eleven(curve, Enumerable.Max));
        Says("Not yet: that is the area under the whole curve", curve => curve.Select((p, i) => (p.Recall - (i > 0 ? curve[i - 1].Recall : 0)) * curve[i..].Max(q => q.Precision)).Sum());
        Says("Not yet: for a curve with", curve => Eleven(curve, Enumerable.Max, points: 10));
        Says("Not yet: for a curve with 4 boxes and a highest recall of 1.000 you get 0.0000", _ => 0);

        static void Says(string answer, Func<(double Precision, double Recall)[], double> area) => Assert.StartsWith(answer, Exercises.ElevenPoints(area));
    }
}
