using Vit.Detection;
using static TorchSharp.torch;

namespace Vit.Tests.Detection;

public sealed class BoxesTests
{
    static readonly Gen<float[]> Corners = Gen.Select(Gen.Float[0, 1], Gen.Float[0, 1], Gen.Float[0.01f, 1], Gen.Float[0.01f, 1],
        (left, top, width, height) => new[] { left, top, left + width, top + height });

    static Tensor Of(params float[] corners) => tensor(corners, [corners.Length / 4, 4]);

    [Theory]
    // The same, apart, touching, half, one in the other, overlapping by a quarter: worked out by hand.
    [InlineData(new[] { 0f, 0, 2, 2 }, new[] { 0f, 0, 2, 2 }, 1, 1)]
    [InlineData(new[] { 0f, 0, 1, 1 }, new[] { 2f, 0, 3, 1 }, 0, -1.0 / 3)]
    [InlineData(new[] { 0f, 0, 1, 1 }, new[] { 1f, 0, 2, 1 }, 0, 0)]
    [InlineData(new[] { 0f, 0, 2, 2 }, new[] { 1f, 0, 2, 2 }, 0.5, 0.5)]
    [InlineData(new[] { 0f, 0, 4, 4 }, new[] { 1f, 1, 3, 3 }, 0.25, 0.25)]
    [InlineData(new[] { 0f, 0, 2, 2 }, new[] { 1f, 1, 3, 3 }, 1.0 / 7, 1.0 / 7 - 2.0 / 9)]
    public void Two_boxes_agree_as_worked_out_by_hand(float[] first, float[] second, double iou, double generalized)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(iou, Boxes.IoU(Of(first), Of(second)).item<float>(), 1e-6);
        Assert.Equal(generalized, Boxes.GeneralizedIoU(Of(first), Of(second)).item<float>(), 1e-6);
        ScoredBox Plain(float[] b) => new(0, 0, b[0], b[1], b[2], b[3]);
        Assert.Equal(iou, Plain(first).IoU(Plain(second)), 1e-6);
    }

    [Fact]
    public void Bounds_and_symmetry_hold_for_any_boxes() => Gen.Select(Corners, Corners).Sample((a, b) =>
    {
        using var scope = NewDisposeScope();
        var (first, second) = (Of(a), Of(b));
        var (iou, generalized) = (Boxes.IoU(first, second).item<float>(), Boxes.GeneralizedIoU(first, second).item<float>());
        Assert.InRange(iou, 0, 1 + 1e-6);
        Assert.InRange(generalized, -1, iou + 1e-6);
        Assert.Equal(iou, Boxes.IoU(second, first).item<float>(), 1e-6);
        Assert.Equal(generalized, Boxes.GeneralizedIoU(second, first).item<float>(), 1e-6);
        // The unit does not count, and a box agrees with itself.
        Assert.Equal(generalized, Boxes.GeneralizedIoU(first * 64, second * 64).item<float>(), 1e-4);
        Assert.Equal(1, Boxes.GeneralizedIoU(first, first).item<float>(), 1e-6);
        Close.Equal(first, Boxes.ToCorners(Boxes.ToCenters(first)));
    }, iter: 200, threads: 1);

    [Fact]
    public void All_pairs_are_compared_where_the_shapes_broadcast()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (Of(0, 0, 2, 2, 1, 1, 3, 3), Of(0, 0, 2, 2, 1, 0, 2, 2, 4, 4, 5, 5));
        var pairs = Boxes.IoU(first.unsqueeze(1), second);
        Assert.Equal([2, 3], pairs.shape);
        for (var i = 0; i < 2; i++)
            for (var j = 0; j < 3; j++)
                Close.Equal(Boxes.IoU(first[i], second[j]), pairs[i, j]);
    }

    [Fact]
    public void Generalised_IoU_draws_boxes_together_that_do_not_touch()
    {
        using var scope = NewDisposeScope();
        var far = Of(3, 0, 4, 1).requires_grad_();
        Boxes.IoU(Of(0, 0, 1, 1), far).sum().backward();
        Assert.Equal(0, far.grad!.abs().sum().item<float>());
        Boxes.GeneralizedIoU(Of(0, 0, 1, 1), far).sum().backward();
        Assert.True(far.grad!.narrow(1, 0, 1).item<float>() < 0);
    }

    [Fact]
    public void Centre_form_is_centre_then_size()
    {
        using var scope = NewDisposeScope();
        Close.Equal(Of(2, 3.5f, 2, 5), Boxes.ToCenters(Of(1, 1, 3, 6)));
        Close.Equal(Of(1, 1, 3, 6), Boxes.ToCorners(Of(2, 3.5f, 2, 5)));
    }

    [Fact]
    public void Boxes_without_an_area_agree_with_nothing_and_give_no_NaN()
    {
        using var scope = NewDisposeScope();
        var point = Of(1, 1, 1, 1).requires_grad_();
        Assert.Equal(0, Boxes.IoU(point, point.detach()).item<float>());
        Boxes.GeneralizedIoU(point, Of(0, 0, 2, 2)).sum().backward();
        Assert.True(point.grad!.isfinite().all().item<bool>());
    }

    [Fact]
    public void What_is_no_box_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("[..., 4], given were [2, 3]", Assert.Throws<ArgumentException>("centers", () => Boxes.ToCorners(zeros(2, 3))).Message);
        Assert.Throws<ArgumentException>("corners", () => Boxes.ToCenters(zeros(5)));
        Assert.Throws<ArgumentException>("second", () => Boxes.IoU(zeros(2, 4), zeros(2, 5)));
        Assert.Throws<ArgumentException>("first", () => Boxes.GeneralizedIoU(tensor(1f), zeros(2, 4)));
    }
}
