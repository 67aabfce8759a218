using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class ImageSetTests
{
    // Image i is filled with i and has label i.
    static ImageSet Numbered(int count) => new(
        arange(count).to(ScalarType.Byte).reshape(count, 1, 1, 1).expand(count, 1, 2, 2).contiguous(), arange(count, ScalarType.Int64), [.. Enumerable.Range(0, count).Select(i => $"{i}")]);

    [Fact]
    public void Batches_hold_every_image_once_beside_its_label() =>
        Gen.Select(Gen.Int[1, 50], Gen.Int[1, 60], Gen.Int.Nullable()).Sample((count, batchSize, seed) =>
        {
            var seen = new List<long>();
            foreach (var (images, labels) in Numbered(count).Batches(batchSize, seed))
            {
                var numbers = labels.data<long>().ToArray();
                Assert.Equal([Math.Min(batchSize, count - seen.Count), 1L, 2, 2], images.shape);
                Assert.Equal(numbers.Select(number => number / 255f), images[TensorIndex.Colon, 0, 1, 1].data<float>());
                seen.AddRange(numbers);
            }
            var all = Enumerable.Range(0, count).Select(i => (long)i);
            Assert.Equal(all, seed is null ? seen : seen.Order());
        });

    [Fact]
    public void The_order_hangs_on_the_seed_alone()
    {
        static long[] Order(int? seed) => [.. Numbered(10).Batches(3, seed).SelectMany(batch => batch.Labels.data<long>().ToArray())];

        Assert.Equal([7, 8, 1, 6, 5, 0, 9, 2, 3, 4], Order(0));
        Assert.Equal(Order(0), Order(0));
        Assert.NotEqual(Order(0), Order(1));
    }

    [Fact]
    public void Some_of_the_classes_get_labels_of_their_own()
    {
        var set = new ImageSet(arange(6).to(ScalarType.Byte).reshape(6, 1, 1, 1), tensor(new long[] { 0, 1, 2, 2, 1, 0 }), ["a", "b", "c"]);
        var some = set.OfClasses("c", "a");
        Assert.Equal(["c", "a"], some.ClassNames);
        Assert.Equal([0, 2, 3, 5], some.Images.data<byte>().ToArray());
        Assert.Equal([1, 0, 0, 1], some.Labels.data<long>().ToArray());
        foreach (var wrong in new string[][] { [], ["a", "a"], ["d"] })
            Assert.Throws<ArgumentException>(() => set.OfClasses(wrong));
    }

    [Fact]
    public void A_batch_ends_with_the_next_one_and_the_set_stays()
    {
        var set = new ImageSet(zeros(4, 1, 2, 2), zeros(4, ScalarType.Int64), ["a"]);
        Tensor? last = null;
        foreach (var (images, _) in set.Batches(2))
        {
            Assert.True(last is null || last.IsInvalid);
            last = images;
        }
        Assert.True(last!.IsInvalid);
        Assert.False(set.Images.IsInvalid);
    }

    [Theory]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Float32)]
    public void Batches_leave_nothing_behind(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var set = new ImageSet(zeros([4, 1, 2, 2], type), zeros(4, ScalarType.Int64), ["a"]);
        var before = scope.DisposablesCount;
        foreach (var _ in set.Batches(3, shuffleSeed: 1))
        {
        }
        Assert.Equal(before, scope.DisposablesCount);
    }

    [Fact]
    public void Set_aside_parts_the_set()
    {
        var (remaining, aside) = Numbered(20).RandomSplit(6, seed: 3);
        Assert.Equal((14, 6), (remaining.Count, aside.Count));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (long)i), remaining.Labels.data<long>().Concat(aside.Labels.data<long>()).Order());
        Assert.NotEqual([0, 1, 2, 3, 4, 5], aside.Labels.data<long>());
        Assert.Throws<ArgumentOutOfRangeException>(() => Numbered(5).RandomSplit(5, seed: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Numbered(5).RandomSplit(0, seed: 0));
    }

    [Fact]
    public void A_share_leaves_neither_part_empty()
    {
        static (int, int) Parts(int count, double share)
        {
            var (remaining, aside) = Numbered(count).RandomSplit(share, seed: 3);
            return (remaining.Count, aside.Count);
        }
        Assert.Equal((2, 1), Parts(3, 0.2));
        Assert.Equal((1, 1), Parts(2, 0.01));
        Assert.Equal((1, 1), Parts(2, 0.99));
        Assert.Equal((80, 20), Parts(100, 0.2));
        Assert.Equal(Numbered(100).RandomSplit(20, seed: 1).Aside.Labels.data<long>(), Numbered(100).RandomSplit(0.2, seed: 1).Aside.Labels.data<long>());
        Assert.Throws<ArgumentOutOfRangeException>(() => Parts(1, 0.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Parts(3, 1.0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Parts(3, double.NaN));
    }

    [Fact]
    public void Positions_outside_the_set_are_refused()
    {
        Assert.Equal([4, 1], Numbered(5).Select([4, 1]).Labels.data<long>());
        Assert.Throws<ArgumentOutOfRangeException>(() => Numbered(5).Select([5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Numbered(5).Select([-1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Numbered(5).Batches(0));
    }

    [Fact]
    public void Images_and_labels_that_do_not_fit_are_refused()
    {
        Assert.Contains("[N, C, H, W]", Assert.Throws<ArgumentException>(() => new ImageSet(zeros(2, 3, 3), zeros(2, ScalarType.Int64), [])).Message);
        Assert.Contains("int64 [2]", Assert.Throws<ArgumentException>(() => new ImageSet(zeros(2, 1, 3, 3), zeros(3, ScalarType.Int64), [])).Message);
        Assert.Contains("int64 [2]", Assert.Throws<ArgumentException>(() => new ImageSet(zeros(2, 1, 3, 3), zeros(2), [])).Message);
        Assert.Contains("Image 1 has the label 2, expected 0 to 1", Assert.Throws<ArgumentException>(() => new ImageSet(zeros(2, 1, 3, 3), tensor(new long[] { 0, 2 }), ["a", "b"])).Message);
        Assert.Contains("the label -1", Assert.Throws<ArgumentException>(() => new ImageSet(zeros(2, 1, 3, 3), tensor(new long[] { 0, -1 }), ["a", "b"])).Message);
        var broken = zeros(3, 1, 3, 3);
        broken[2, 0, 1, 1] = double.NaN;
        Assert.Contains("Image 2", Assert.Throws<ArgumentException>(() => new ImageSet(broken, zeros(3, int64), ["a"])).Message);
    }
}
