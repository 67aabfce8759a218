using Vit.Data;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public class ShowTests
{
    const int Black = 0, White = 0xffffff;

    static int Pixel(PngPicture picture, int x, int y)
    {
        using var scope = NewDisposeScope();
        return Picture.Decode(picture.Content)[.., y, x].mul(255).round().data<float>().Aggregate(0, (rgb, value) => rgb << 8 | (int)value);
    }

    static int Red(PngPicture picture, int x, int y) => Pixel(picture, x, y) >> 16;

    [Fact]
    public void Small_images_grow_pixel_by_pixel()
    {
        var shown = Show.Image(tensor(new[] { 0f, 1f, 1f, 0f }).reshape(2, 2), scale: 3);
        Assert.Equal((6, 6), (shown.Width, shown.Height));
        for (var y = 0; y < 6; y++)
            for (var x = 0; x < 6; x++)
                Assert.Equal((x < 3) == (y < 3) ? Black : White, Pixel(shown, x, y));
    }

    [Theory]
    [InlineData(28, 28, 224, 224)]
    [InlineData(300, 451, 300, 451)]
    [InlineData(100, 60, 200, 120)]
    public void Without_a_scale_the_longer_side_nears_224(int height, int width, int shownHeight, int shownWidth)
    {
        var shown = Show.Image(zeros(3, height, width));
        Assert.Equal((shownHeight, shownWidth), (shown.Height, shown.Width));
    }

    [Fact]
    public void A_grid_fills_row_by_row_between_white_gaps()
    {
        var grid = Show.Grid(tensor(new[] { 0f, 0.2f, 0.4f }).reshape(3, 1, 1).expand(3, 10, 10), columns: 2, gap: 4, scale: 1);
        Assert.Equal((24, 24), (grid.Width, grid.Height));
        Assert.Equal(0, Red(grid, 5, 5));
        Assert.Equal(51, Red(grid, 19, 5));
        Assert.Equal(102, Red(grid, 5, 19));
        Assert.Equal(White, Pixel(grid, 12, 5));
        Assert.Equal(White, Pixel(grid, 19, 19));
    }

    [Fact]
    public void Labels_are_written_under_each_image_in_full()
    {
        string[] labels = ["i", "a label wider than its image"];
        var plain = Show.Grid(ones(2, 1, 10, 10), scale: 1);
        var labelled = Show.Grid(ones(2, 1, 10, 10), scale: 1, labels: labels);
        Assert.InRange(labelled.Height, plain.Height + 10, plain.Height + 20);
        Assert.InRange(labelled.Width, 250, 450);
        Assert.InRange(Ink(labelled, 0, labelled.Width / 2), 5, 30);
        Assert.InRange(Ink(labelled, labelled.Width / 2, labelled.Width), 300, 1500);
        Assert.Contains("expected 2", Assert.Throws<ArgumentException>(() => Show.Grid(ones(2, 1, 10, 10), labels: ["one"])).Message);

        static long Ink(PngPicture picture, int from, int to) => Picture.Decode(picture.Content)[0, 10.., from..to].lt(200 / 255f).sum().item<long>();
    }

    [Fact]
    public void A_letter_covers_what_the_font_says()
    {
        // A vertical bar of DejaVu Sans is 172 of 2048 units wide, 2048 units being 12 pixels, and stands in the middle of 690.
        var shown = Picture.Decode(Show.Grid(ones(1, 1, 1, 1), scale: 1, gap: 0, labels: ["|"]).Content);
        var ink = 1 - shown[0, 5..10];
        Assert.Equal(172 / 2048f * 12, ink.sum(1).mean().item<float>(), 0.05);
        Assert.Equal(Show.Grid(ones(1, 1, 9, 9), labels: ["?"]).Content, Show.Grid(ones(1, 1, 9, 9), labels: ["\u4e00"]).Content);
    }

    [Fact]
    public void Every_character_of_the_series_can_be_written() =>
        Assert.All("ABCxyz0189 !%'(),-./:;<=>?[]_|~·×ßéü–—’“”…Δαω←↑→↓−√≈≠≤≥✓✗", character => Assert.True(Lettering.Knows(character), $"{character}"));

    [Fact]
    public void Grid_lines_lie_on_the_borders_of_the_patches()
    {
        var shown = Show.GridLines(zeros(3, 8, 12), patchSize: 4, scale: 4);
        Assert.Equal((48, 32), (shown.Width, shown.Height));
        Assert.Equal([16, 32], Enumerable.Range(0, 48).Where(x => Red(shown, x, 7) == 255));
        var grey = Show.GridLines(full([1, 8, 12], 0.5), patchSize: 4, scale: 4);
        Assert.Equal([128, 73, 255, 73, 128], Enumerable.Range(14, 5).Select(x => Red(grey, x, 7)));
        var error = Assert.Throws<ArgumentException>(() => Show.GridLines(zeros(3, 8, 12), 5));
        Assert.Contains("8 × 12", error.Message);
        Assert.Contains("patch size 5", error.Message);
    }

    [Fact]
    public void Colors_run_from_violet_to_yellow_for_any_number_of_maps()
    {
        var colors = Show.Colors(tensor(new[] { 0f, 1f, -3f, float.NaN, 7f, 3 / 7f }).reshape(2, 1, 3));    // [2, 3, 1, 3]
        Assert.Equal([2, 3, 1, 3], colors.shape);
        int Rgb(int map, int x) => Enumerable.Range(0, 3).Aggregate(0, (rgb, c) => rgb << 8 | (int)Math.Round(255 * colors[map, c, 0, x].item<float>()));
        Assert.Equal([0x440154, 0xfde725, 0x440154], Enumerable.Range(0, 3).Select(x => Rgb(0, x)));
        Assert.Equal([0x440154, 0xfde725, 0x277f8e], Enumerable.Range(0, 3).Select(x => Rgb(1, x)));
        if (cuda.is_available())
            Assert.Equal([3, 4, 5], Show.Colors(zeros(4, 5, device: CUDA)).shape);
    }

    [Fact]
    public void Heat_blends_over_the_image()
    {
        var heat = tensor(new[] { 0f, 1f }).reshape(1, 2);
        var map = Show.Image(Show.Blend(ones(3, 8, 16), heat, opacity: 1), scale: 1);
        Assert.Equal(0x440154, Pixel(map, 0, 0));
        Assert.Equal(0xfde725, Pixel(map, 15, 7));
        var image = Show.Image(Show.Blend(ones(1, 8, 16), heat, opacity: 0), scale: 1);
        Assert.Equal(White, Pixel(image, 3, 3));
        var bytes = Show.Image(Show.Blend(full([8, 16], 100, ScalarType.Byte), heat, opacity: 0), scale: 1);
        Assert.Equal(100, Red(bytes, 3, 3));
        Assert.Throws<ArgumentException>(() => Show.Blend(ones(3, 8, 16), ones(2)));
    }

    [Fact]
    public void A_weight_looks_alike_on_black_and_on_white()
    {
        // The left half black, the right half white; two rows of two patches.
        var image = cat([zeros(1, 8, 4), ones(1, 8, 4)], 2);
        var shown = Show.Maps(image, tensor(new[] { 0.5f, 0.5f, 0.25f, 0f }).reshape(1, 2, 2), size: 8);
        var (left, top) = ((shown.Width - 8) / 2, 0);
        int[] Differences(int x, int y)
        {
            var rgb = Pixel(shown, left + x, top + y);
            return [(rgb >> 16) - ((rgb >> 8) & 255), ((rgb >> 8) & 255) - (rgb & 255)];
        }
        Assert.All(Differences(1, 1).Zip(Differences(6, 1)), pair => Assert.InRange(pair.First - pair.Second, -1, 1));
        Assert.NotEqual(Differences(1, 1), Differences(1, 6));
        // Each patch is one colour, to its border.
        Assert.Equal(Pixel(shown, left, top), Pixel(shown, left + 3, top + 3));
        Assert.NotEqual(Pixel(shown, left, top + 3), Pixel(shown, left, top + 4));
    }

    [Fact]
    public void Maps_have_labels_a_scale_and_a_frame_and_leave_NaN_alone()
    {
        var maps = tensor(new[] { float.NaN, 0.2f, 0.1f, 0.4f, 0f, 0f, 0f, 0.1f }).reshape(2, 2, 2);
        var plain = Show.Maps(zeros(2, 3, 10, 10), maps, size: 100);
        Assert.Equal((208, 122 + 2 * Lettering.LineHeight), (plain.Width, plain.Height));
        Assert.Equal(Black, Pixel(plain, 10, 10));
        Assert.NotEqual(Black, Pixel(plain, 60, 10));
        // The bar's right end has the largest value's colour, on middle grey.
        Assert.InRange(Red(plain, (208 + 160) / 2 - 2, 100 + 6 + Lettering.LineHeight + 8), 180, 255);

        var labelled = Show.Maps(zeros(2, 3, 10, 10), maps, ["one", "two"], title: "a title", size: 100, marks: [1, -1]);
        Assert.Equal(plain.Height + 2 * Lettering.LineHeight + 4, labelled.Height);
        Assert.Equal(0xff0000, Pixel(labelled, 50, Lettering.LineHeight + 4));
        Assert.NotEqual(plain.Content, Show.Maps(zeros(2, 3, 10, 10), maps, size: 100, ownScale: true).Content);
    }

    [Fact]
    public void Negative_values_are_blue_and_positive_ones_red()
    {
        var shown = Show.Maps(full([1, 10, 10], 0.5), tensor(new[] { -1f, 0f, 1f, 0.5f }).reshape(1, 2, 2), size: 200);
        int[] At(int x, int y) => [.. new[] { 16, 8, 0 }.Select(shift => (Pixel(shown, x, y) >> shift) & 255)];
        Assert.True(At(10, 10)[2] > At(10, 10)[0] + 60);
        Assert.Single(At(110, 10).Distinct());
        Assert.True(At(10, 110)[0] > At(10, 110)[2] + 60);
    }

    [Fact]
    public void Maps_that_do_not_fit_are_told()
    {
        Assert.Contains("[N, h, w]", Assert.Throws<ArgumentException>(() => Show.Maps(ones(1, 8, 8), ones(2, 2))).Message);
        Assert.Contains("[3, C, H, W]", Assert.Throws<ArgumentException>(() => Show.Maps(ones(2, 1, 8, 8), ones(3, 2, 2))).Message);
        Assert.Contains("1 labels", Assert.Throws<ArgumentException>(() => Show.Maps(ones(1, 8, 8), ones(3, 2, 2), ["one"])).Message);
        Assert.Contains("patch 4", Assert.Throws<ArgumentException>(() => Show.Maps(ones(1, 8, 8), ones(1, 2, 2), marks: [4])).Message);
    }
}
