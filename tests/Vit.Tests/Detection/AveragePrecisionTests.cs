using Vit.Detection;
using static TorchSharp.torch;

namespace Vit.Tests.Detection;

public sealed class AveragePrecisionTests
{
    // The worked example of Padilla, Netto and da Silva, "A Survey on Performance Metrics for Object-Detection Algorithms"
    // (IWSSIP 2020): https://github.com/rafaelpadilla/Object-Detection-Metrics, samples/sample_2. Seven images; left, top,
    // width and height, and before them for what was found the confidence in percent. As in PASCAL VOC, the last pixel belongs
    // to the box: from left to left + width, both counted.
    static readonly int[][][] Truth =
    [
        [[25, 16, 38, 56], [129, 123, 41, 62]],
        [[123, 11, 43, 55], [38, 132, 59, 45]],
        [[16, 14, 35, 48], [123, 30, 49, 44], [99, 139, 47, 47]],
        [[53, 42, 40, 52], [154, 43, 31, 34]],
        [[59, 31, 44, 51], [48, 128, 34, 52]],
        [[36, 89, 52, 76], [62, 58, 44, 67]],
        [[28, 31, 55, 63], [58, 67, 50, 58]],
    ];

    static readonly int[][][] Found =
    [
        [[88, 5, 67, 31, 48], [70, 119, 111, 40, 67], [80, 124, 9, 49, 67]],
        [[71, 64, 111, 64, 58], [54, 26, 140, 60, 47], [74, 19, 18, 43, 35]],
        [[18, 109, 15, 77, 39], [67, 86, 63, 46, 45], [38, 160, 62, 36, 53], [91, 105, 131, 47, 47], [44, 18, 148, 40, 44]],
        [[35, 83, 28, 28, 26], [78, 28, 68, 42, 67], [45, 87, 89, 25, 39], [14, 10, 155, 60, 26]],
        [[62, 50, 38, 28, 46], [44, 95, 11, 53, 28], [95, 29, 131, 72, 29], [23, 29, 163, 72, 29]],
        [[45, 43, 48, 74, 38], [84, 17, 155, 29, 35], [43, 95, 110, 25, 42]],
        [[48, 16, 20, 101, 88], [95, 33, 116, 37, 49]],
    ];

    static ScoredBox[] Boxes(int[][][] images, bool found) => [.. images.SelectMany((boxes, image) => boxes.Select(box =>
    {
        var (at, score) = found ? (box[1..], box[0] / 100.0) : (box, 1);
        return new ScoredBox(image, 0, at[0], at[1], at[0] + at[2] + 1, at[1] + at[3] + 1, score);
    }))];

    [Fact]
    public void The_published_example_comes_out()
    {
        var (found, truth) = (Boxes(Found, true), Boxes(Truth, false));
        Assert.Equal((24, 15), (found.Length, truth.Length));
        // The published table, from the surest on; R and Y have one confidence, and which is first changes nothing after them.
        var judged = AveragePrecision.Judge(found, truth, 0.3);
        Assert.Equal("TFTFFFFFFTFTTTFFFFFFFFTF", string.Concat(judged.Select(it => it.Object is null ? 'F' : 'T')));
        var curve = AveragePrecision.Curve(found, truth, 0.3);
        Assert.Equal((7.0 / 24, 7.0 / 15), curve[^1]);
        Assert.Equal(0.4285, curve[13].Precision, 1e-4);
        // 24.56 %: the published sum of areas, without its rounding.
        Assert.Equal(1.0 / 15 + 2.0 / 3 / 15 + 3.0 / 7 * 4 / 15 + 7.0 / 23 / 15, AveragePrecision.Of(found, truth, 0.3), 1e-12);
        Assert.Equal(0.24560955, AveragePrecision.Of(found, truth, 0.3), 1e-4);
    }

    static ScoredBox Square(int image, int label, double left, double score = 1) => new(image, label, left, 0, left + 10, 10, score);

    [Fact]
    public void A_second_box_on_one_object_is_wrong_and_so_is_another_class_or_image()
    {
        ScoredBox[] truth = [Square(0, 1, 0)];
        Assert.Equal([true, false], Judged(Square(0, 1, 1, 0.9), Square(0, 1, 0, 0.8)));
        Assert.Equal([false, true], Judged(Square(0, 2, 0, 0.9), Square(0, 1, 0, 0.8)));
        Assert.Equal([false, true], Judged(Square(1, 1, 0, 0.9), Square(0, 1, 0, 0.8)));

        bool[] Judged(params ScoredBox[] found) => [.. AveragePrecision.Judge(found, truth).Select(it => it.Object is not null)];
    }

    [Fact]
    public void A_box_takes_the_object_that_it_overlaps_most_and_leaves_the_other()
    {
        ScoredBox[] truth = [Square(0, 0, 0), Square(0, 0, 4)];
        Assert.Equal([truth[1], truth[0]], AveragePrecision.Judge([Square(0, 0, 3, 0.9), Square(0, 0, 1, 0.8)], truth, 0.4).Select(it => it.Object));
        Assert.Equal([true, true], AveragePrecision.Judge([Square(0, 0, 3, 0.9), Square(0, 0, 1, 0.8)], truth, 0.4).Select(it => it.Object is not null));
        // Both lie on the second object; the less sure one has to take the first, whose IoU of 7 / 13 is enough for 0.5, not for 0.6.
        Assert.Equal([true, true], AveragePrecision.Judge([Square(0, 0, 4, 0.9), Square(0, 0, 3, 0.8)], truth, 0.5).Select(it => it.Object is not null));
        Assert.Equal([true, false], AveragePrecision.Judge([Square(0, 0, 4, 0.9), Square(0, 0, 3, 0.8)], truth, 0.6).Select(it => it.Object is not null));
    }

    [Fact]
    public void The_mean_is_over_classes_with_an_object_and_over_thresholds()
    {
        ScoredBox[] truth = [Square(0, 0, 0), Square(0, 1, 20), Square(1, 1, 20)];
        // Class 0 is found to the pixel, of class 1 one of two with an IoU of 9 / 11, and class 2 is nowhere.
        ScoredBox[] found = [Square(0, 0, 0, 0.9), Square(0, 1, 21, 0.9), Square(0, 2, 40, 0.9)];
        Assert.Equal((1 + 0.5) / 2, AveragePrecision.Mean(found, truth), 1e-12);
        // 0.50 to 0.80 are seven of ten thresholds.
        Assert.Equal((1 + 0.7 * 0.5) / 2, AveragePrecision.Mean(found, truth, AveragePrecision.CocoThresholds), 1e-12);
        Assert.Equal(0, AveragePrecision.Mean([], truth));
        Assert.Equal(1, AveragePrecision.Mean(truth, truth, AveragePrecision.CocoThresholds), 1e-12);
    }

    [Fact]
    public void Predictions_become_boxes_in_corners_with_the_best_class_that_is_one()
    {
        using var scope = NewDisposeScope();
        // Two queries of two classes and "no object".
        var logits = log(tensor(new[] { 0.2f, 0.5f, 0.3f, 0.15f, 0.05f, 0.8f }, [1, 2, 3]));
        var boxes = tensor(new[] { 0.5f, 0.5f, 0.2f, 0.4f, 0.1f, 0.1f, 0.2f, 0.2f }, [1, 2, 4]);
        var read = new BoxPredictions(logits, boxes).Read(firstImage: 7);
        Assert.Equal(2, read.Count);
        Assert.Equal((7, 1), (read[0].Image, read[0].Label));
        Assert.Equal([0.4, 0.3, 0.6, 0.7, 0.5], new[] { read[0].Left, read[0].Top, read[0].Right, read[0].Bottom, read[0].Score }, (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal((0, 0.15), (read[1].Label, Math.Round(read[1].Score, 6)));
        Assert.Single(new BoxPredictions(logits, boxes).Read(leastScore: 0.3));

        var truth = ScoredBox.OfTruth(tensor(new long[] { 1, -1 }, [1, 2]), boxes);
        Assert.Equal((0, 1), (Assert.Single(truth).Image, truth[0].Label));
        Assert.Equal(1, AveragePrecision.Mean(new BoxPredictions(logits, boxes).Read(), truth), 1e-12);
    }

    [Fact]
    public void What_cannot_be_judged_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentOutOfRangeException>("threshold", () => AveragePrecision.Judge([], [], 0));
        Assert.Contains("expected at least 1", Assert.Throws<ArgumentException>("truth", () => AveragePrecision.Of([], [])).Message);
        Assert.Throws<ArgumentException>("truth", () => AveragePrecision.Mean([], []));
        Assert.Throws<ArgumentException>("thresholds", () => AveragePrecision.Mean([], [Square(0, 0, 0)], []));
        Assert.Throws<ArgumentException>("labels", () => ScoredBox.OfTruth(zeros(1, 2, int64), zeros(1, 3, 4)));
        Assert.Throws<ArgumentException>(() => new BoxPredictions(zeros(1, 2, 3), zeros(1, 3, 4)).Read());
    }
}
