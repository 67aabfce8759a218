using Vit.Detection;
using static TorchSharp.torch;

namespace Vit.Tests.Detection;

public sealed class SetLossTests
{
    static (BoxPredictions Predictions, Tensor Labels, Tensor Boxes) Random(int B = 3, int Q = 5, int M = 3, int K = 4)
    {
        random.manual_seed(18);
        var predictions = new BoxPredictions(randn(B, Q, K + 1), rand(B, Q, 4) * 0.5 + 0.1);
        var labels = randint(0, K, [B, M], int64);
        labels[1, 2] = -1;
        labels[2] = -1;
        return (predictions, labels, rand(B, M, 4) * 0.5 + 0.1);
    }

    // The paper's formulas, one number after the other.
    static double Cost(BoxPredictions it, Tensor labels, Tensor boxes, SetLoss loss, int b, int found, int query)
    {
        var probability = it.Logits[b, query].softmax(0)[labels[b, found].item<long>()].item<float>();
        return loss.L1Weight * Distance(it, boxes, b, found, query) - loss.GeneralizedIoUWeight * Agreement(it, boxes, b, found, query) - loss.ClassWeight * probability;
    }

    static double Distance(BoxPredictions it, Tensor boxes, int b, int found, int query) =>
        Enumerable.Range(0, 4).Sum(side => Math.Abs(it.Boxes[b, query, side].item<float>() - boxes[b, found, side].item<float>()));

    static double Agreement(BoxPredictions it, Tensor boxes, int b, int found, int query) =>
        Boxes.GeneralizedIoU(Boxes.ToCorners(it.Boxes[b, query]), Boxes.ToCorners(boxes[b, found])).item<float>();

    static readonly SetLoss Odd = new() { ClassWeight = 1.5, L1Weight = 3, GeneralizedIoUWeight = 0.7, NoObjectWeight = 0.3 };

    [Fact]
    public void It_is_the_papers_sum_over_the_cheapest_pairing()
    {
        using var scope = NewDisposeScope();
        var (predictions, labels, boxes) = Random();
        var (classes, weights, distance, agreement, objects) = (0.0, 0.0, 0.0, 0.0, 0);
        for (var b = 0; b < 3; b++)
        {
            int[] of = [.. Enumerable.Range(0, 3).Where(m => labels[b, m].item<long>() >= 0)];
            // Brute force over every choice of a query for each object.
            var best = Choices(of.Length, 5).MinBy(queries => of.Select((m, i) => Cost(predictions, labels, boxes, Odd, b, m, queries[i])).Sum())!;
            var matched = Odd.Match(predictions, labels, boxes);
            Assert.Equal(best.Select(q => (long)q), of.Select(m => matched[b, m].item<long>()));
            Assert.All(Enumerable.Range(0, 3).Except(of), m => Assert.Equal(-1, matched[b, m].item<long>()));
            for (var q = 0; q < 5; q++)
            {
                var m = Array.IndexOf(best, q);
                var target = m < 0 ? 4 : labels[b, of[m]].item<long>();
                var weight = m < 0 ? 0.3 : 1;
                classes -= weight * predictions.Logits[b, q].log_softmax(0)[target].item<float>();
                weights += weight;
                if (m >= 0)
                    (distance, agreement, objects) = (distance + Distance(predictions, boxes, b, of[m], q), agreement + 1 - Agreement(predictions, boxes, b, of[m], q), objects + 1);
            }
        }
        Assert.Equal(1.5 * classes / weights + 3 * distance / objects + 0.7 * agreement / objects, Odd.Of(predictions, labels, boxes).item<float>(), 1e-5);

        static IEnumerable<int[]> Choices(int count, int from) => count == 0 ? [[]] :
            Choices(count - 1, from).SelectMany(rest => Enumerable.Range(0, from).Where(q => !rest.Contains(q)).Select(q => rest.Append(q).ToArray()));
    }

    [Fact]
    public void The_order_of_the_objects_and_of_the_queries_changes_nothing()
    {
        using var scope = NewDisposeScope();
        var (predictions, labels, boxes) = Random();
        var loss = new SetLoss().Of(predictions, labels, boxes);
        var (objects, queries) = (tensor(new long[] { 2, 0, 1 }), tensor(new long[] { 4, 2, 0, 3, 1 }));
        Close.Equal(loss, new SetLoss().Of(predictions, labels.index_select(1, objects), boxes.index_select(1, objects)));
        BoxPredictions shuffled = new(predictions.Logits.index_select(1, queries), predictions.Boxes.index_select(1, queries));
        Close.Equal(loss, new SetLoss().Of(shuffled, labels, boxes));
    }

    [Fact]
    public void Images_without_objects_ask_for_no_object_alone()
    {
        using var scope = NewDisposeScope();
        var (predictions, _, boxes) = Random();
        var none = full([3L, 3L], -1, int64);
        var expected = -predictions.Logits.log_softmax(-1).narrow(-1, 4, 1).mean();
        Close.Equal(expected, new SetLoss().Of(predictions, none, boxes));
    }

    [Fact]
    public void What_does_not_fit_is_told()
    {
        using var scope = NewDisposeScope();
        var (predictions, labels, boxes) = Random();
        var loss = new SetLoss();
        Assert.Contains("[3, 3] of Float32", Assert.Throws<ArgumentException>("labels", () => loss.Of(predictions, labels.to(float32), boxes)).Message);
        Assert.Throws<ArgumentException>("labels", () => loss.Of(predictions, labels, boxes.narrow(1, 0, 2)));
        Assert.Contains("from 0 to 3, and the labels hold 1", Assert.Throws<ArgumentException>("labels", () => loss.Of(predictions, labels + 10, boxes)).Message);
        Assert.Throws<ArgumentException>("predictions", () => loss.Of(predictions, labels.narrow(0, 0, 2), boxes.narrow(0, 0, 2)));
        BoxPredictions few = new(predictions.Logits.narrow(1, 0, 2), predictions.Boxes.narrow(1, 0, 2));
        Assert.Contains("image 0 has 3 objects and the model 2 queries", Assert.Throws<ArgumentException>("labels", () => loss.Of(few, labels, boxes)).Message);
    }
}
