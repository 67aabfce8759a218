using Vit.Data;
using Vit.Detection;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public sealed class BoxPicturesTests
{
    static ScoredBox Box(int image, int label, double left, double right, double score = 1) => new(image, label, left, 0.25, right, 0.75, score);

    static int[] Colour(PngPicture picture, int x, int y)
    {
        using var pixels = Picture.Decode(picture.Content, "a picture");
        return [.. Enumerable.Range(0, 3).Select(channel => (int)Math.Round(255 * pixels[channel, y, x].item<float>()))];
    }

    static readonly int[] Green = [0, 200, 130], Orange = [230, 97, 0], Blue = [86, 180, 233], Black = [0, 0, 0];

    [Fact]
    public void Right_wrong_and_missed_boxes_have_their_colours()
    {
        using var scope = NewDisposeScope();
        // In the first picture one object is found and one is missed; in the second a box lies where nothing is.
        ScoredBox[] truth = [Box(0, 0, 0, 0.25), Box(0, 1, 0.5, 1)], found = [Box(0, 0, 0, 0.25, 0.9), Box(1, 0, 0.5, 0.75, 0.4)];
        var picture = Show.Boxes(zeros(2, 1, 32, 32), found, truth, scale: 2);
        Assert.Equal((64 + 8 + 64, 64), (picture.Width, picture.Height));
        Assert.Equal(Green, Colour(picture, 0, 16));
        Assert.Equal(Green, Colour(picture, 15, 47));
        Assert.Equal(Black, Colour(picture, 16, 40));
        Assert.Equal(Black, Colour(picture, 7, 40));
        var edge = Enumerable.Range(32, 32).Select(x => Colour(picture, x, 16)).ToArray();
        Assert.Contains(edge, colour => colour.SequenceEqual(Blue));
        Assert.Contains(edge, colour => colour.SequenceEqual(Black));
        Assert.Equal(Orange, Colour(picture, 72 + 32, 16));
    }

    [Fact]
    public void Two_objects_alike_are_one_found_and_one_missed()
    {
        using var scope = NewDisposeScope();
        // They overlap so much that the found box would do for both.
        ScoredBox[] truth = [Box(0, 0, 0.1, 0.7), Box(0, 0, 0.2, 0.8)];
        var picture = Show.Boxes(zeros(1, 1, 40, 40), [Box(0, 0, 0.2, 0.8, 0.9)], truth, scale: 1);
        Assert.Equal(Green, Colour(picture, 8, 25));
        Assert.Contains(Enumerable.Range(10, 20).Select(y => Colour(picture, 4, y)), colour => colour.SequenceEqual(Blue));
    }

    [Fact]
    public void Names_stand_at_corners_and_do_not_cover_one_another()
    {
        using var scope = NewDisposeScope();
        int[] greenTag = [128, 228, 193], orangeTag = [243, 176, 128];
        ScoredBox[] truth = [Box(0, 1, 0, 1)];
        Assert.Equal((0, 0), (Places(null, 1, greenTag).Count, Places(null, 1, orangeTag).Count));
        var alone = Places(["top", "bag"], 1, greenTag);
        Assert.All(alone, at => Assert.InRange(at.Y, 0, 23));
        // Four corners, above and below, have room; a narrow picture has none for more.
        foreach (var count in new[] { 2, 9 })
        {
            Assert.Equal(alone, Places(["top", "bag"], count, greenTag));
            var others = Places(["top", "bag"], count, orangeTag);
            Assert.NotEmpty(others);
            Assert.Empty(alone.Intersect(others));
        }
        Assert.Equal(Places(["top", "bag"], 9, orangeTag), Places(["top", "bag"], 10, orangeTag));

        // The pixels of one colour, when as many boxes lie on one another.
        List<(int X, int Y)> Places(string[]? names, int count, int[] colour)
        {
            var boxes = Enumerable.Range(0, count).Select(i => Box(0, 1, 0, 1, 0.9 - 0.01 * i));
            var picture = Show.Boxes(zeros(1, 1, 32, 32), boxes, truth, names);
            using var pixels = Picture.Decode(picture.Content, "a picture");
            var bytes = (255 * pixels).round().to(uint8).permute(1, 2, 0).contiguous().data<byte>().ToArray();
            return [.. Enumerable.Range(0, 96 * 96).Where(at => Enumerable.Range(0, 3).All(c => bytes[3 * at + c] == colour[c])).Select(at => (at % 96, at / 96))];
        }
    }

    [Fact]
    public void What_does_not_fit_is_told()
    {
        using var scope = NewDisposeScope();
        ScoredBox[] box = [Box(0, 3, 0, 1)];
        Assert.Contains("class 3", Assert.Throws<ArgumentException>("names", () => Show.Boxes(zeros(1, 1, 8, 8), box, box, ["top"])).Message);
        Assert.Throws<ArgumentException>("images", () => Show.Boxes(zeros(8, 8), box, box));
        Assert.Throws<ArgumentException>("labels", () => Show.Boxes(zeros(1, 1, 8, 8), box, box, labels: ["a", "b"]));
    }
}
