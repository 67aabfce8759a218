using Vit.Data;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public sealed class ScatteredClothesTests
{
    // Bright blocks of 20 × 12 pixels, off the middle; the label is the class of each.
    static ImageSet Blocks(params long[] labels)
    {
        var images = zeros(labels.Length, 1, 28, 28, ScalarType.Byte);
        images.narrow(2, 2, 20).narrow(3, 4, 12).fill_(200);
        return new(images, tensor(labels), [.. Enumerable.Range(0, 10).Select(i => $"{i}")]);
    }

    [Fact]
    public void A_box_is_as_tight_as_the_pixels()
    {
        using var scope = NewDisposeScope();
        var scenes = ScatteredClothes.Draw(Blocks(0), 60, seed: 1, most: 1, clutter: false);
        Assert.Equal([60, 1, 64, 64], scenes.Images.shape);
        var heights = new HashSet<long>();
        for (var i = 0; i < 60; i++)
        {
            var bright = scenes.Images[i, 0].gt(25).nonzero();
            var (first, last) = (bright.amin([0]), bright.amax([0]) + 1);
            var expected = cat([(first + last).flip(0) / 2.0, (last - first).flip(0).to(float32)]) / 64;
            Close.Equal(expected.to(float32), scenes.Boxes[i, 0]);
            Assert.Equal([0, -1, -1, -1], scenes.Labels[i].data<long>().ToArray());
            heights.Add((last - first)[0].item<long>());
        }
        // 20 of 28 rows of 16 to 32 pixels: small and large ones, and some between.
        Assert.InRange(heights.Min(), 11, 14);
        Assert.InRange(heights.Max(), 21, 25);
        Assert.True(heights.Count > 6);
    }

    [Fact]
    public void Fewer_objects_leave_the_rest_empty_and_all_kinds_are_as_frequent()
    {
        using var scope = NewDisposeScope();
        // Four of the classes are tops; each kind is drawn as often all the same.
        var scenes = ScatteredClothes.Draw(Blocks(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 1_000, seed: 2);
        var known = scenes.Labels.ge(0);
        Assert.True(scenes.Boxes.masked_select(known.logical_not().unsqueeze(-1)).eq(0).all().item<bool>());
        // Objects stand first.
        Assert.True(known.narrow(1, 0, 3).ge(known.narrow(1, 1, 3)).all().item<bool>());
        var counts = known.sum([1]).bincount(null).data<long>().ToArray();
        Assert.Equal(0, counts[0]);
        Assert.All(counts[1..], count => Assert.InRange(count, 150, 350));
        var kinds = scenes.Labels.masked_select(known).bincount(null).to(float32) / (float)known.sum().item<long>();
        Assert.Equal(5, kinds.numel());
        Assert.InRange((kinds - 0.2).abs().max().item<float>(), 0, 0.04);
        var corners = Vit.Detection.Boxes.ToCorners(scenes.Boxes.masked_select(known.unsqueeze(-1)).reshape(-1, 4));
        Assert.True(corners.ge(-1e-6).all().item<bool>() && corners.le(1 + 1e-6).all().item<bool>());
    }

    [Fact]
    public void No_garment_is_hidden_by_more_than_half()
    {
        using var scope = NewDisposeScope();
        // Solid blocks, so that a box's pixels are its garment's: what later boxes cover is known.
        var scenes = ScatteredClothes.Draw(Blocks(0), 300, seed: 3, least: 4);
        var overlaps = 0;
        for (var i = 0; i < scenes.Count; i++)
        {
            var corners = (Vit.Detection.Boxes.ToCorners(scenes.Boxes[i]) * 64).round().to(int64);
            for (var m = 0; m < 4; m++)
            {
                if (scenes.Labels[i, m].item<long>() < 0)
                    continue;
                var owner = zeros(64, 64);
                for (var front = m; front < 4; front++)
                {
                    var c = corners[front].data<long>().ToArray();
                    owner.narrow(0, c[1], c[3] - c[1]).narrow(1, c[0], c[2] - c[0]).fill_(front == m ? 1 : 0);
                }
                var size = corners[m].data<long>().ToArray() is var own ? (own[2] - own[0]) * (own[3] - own[1]) : 0;
                var seen = owner.sum().item<float>();
                Assert.True(2 * seen >= size);
                overlaps += seen < size ? 1 : 0;
            }
        }
        Assert.True(overlaps > 100);
    }

    [Fact]
    public void The_seed_decides_and_clutter_lies_behind()
    {
        using var scope = NewDisposeScope();
        var (a, b, other) = (Draw(4), Draw(4), Draw(5));
        Assert.True(a.Images.eq(b.Images).all().item<bool>() && a.Boxes.eq(b.Boxes).all().item<bool>() && a.Labels.eq(b.Labels).all().item<bool>());
        Assert.False(a.Images.eq(other.Images).all().item<bool>());
        // Inside a garment every pixel is its own; outside there is something in most scenes.
        var outside = 0;
        for (var i = 0; i < a.Count; i++)
        {
            var c = (Vit.Detection.Boxes.ToCorners(a.Boxes[i, 0]) * 64).round().to(int64).data<long>().ToArray();
            Assert.True(a.Images[i, 0].narrow(0, c[1] + 1, c[3] - c[1] - 2).narrow(1, c[0] + 1, c[2] - c[0] - 2).ge(199).all().item<bool>());
            var rest = a.Images[i, 0].clone();
            rest.narrow(0, c[1], c[3] - c[1]).narrow(1, c[0], c[2] - c[0]).fill_(0);
            outside += rest.gt(25).any().item<bool>() ? 1 : 0;
        }
        Assert.InRange(outside, 30, 50);

        static Scenes Draw(int seed) => ScatteredClothes.Draw(Blocks(0, 1), 50, seed, most: 1);
    }

    [Fact]
    public void Parts_and_pixels_are_those_of_the_whole()
    {
        using var scope = NewDisposeScope();
        var scenes = ScatteredClothes.Draw(Blocks(0), 10, seed: 6);
        var part = scenes.Part(3, 2);
        Assert.Equal(2, part.Count);
        Assert.True(part.Images.eq(scenes.Images.narrow(0, 3, 2)).all().item<bool>());
        Assert.Equal((-1f, 200 / 127.5f - 1), (part.Pixels().min().item<float>(), part.Pixels()[0, 0].max().item<float>()));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => scenes.Part(9, 2));
    }

    [Fact]
    public void Clothes_of_another_kind_are_refused()
    {
        using var scope = NewDisposeScope();
        ImageSet small = new(zeros(1, 1, 14, 14, ScalarType.Byte), zeros(1, int64), ["x"]);
        Assert.Contains("expected uint8 [N, 1, 28, 28]", Assert.Throws<ArgumentException>("clothes", () => ScatteredClothes.Draw(small, 1, 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>("count", () => ScatteredClothes.Draw(Blocks(0), 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>("most", () => ScatteredClothes.Draw(Blocks(0), 1, 1, most: 5));
        Assert.Throws<ArgumentOutOfRangeException>("least", () => ScatteredClothes.Draw(Blocks(0), 1, 1, least: 3, most: 2));
    }
}
