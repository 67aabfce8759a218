using SkiaSharp;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public class ShowTests
{
    [Fact]
    public void Small_images_grow_pixel_by_pixel()
    {
        using var shown = Show.Image(tensor(new[] { 0f, 1f, 1f, 0f }).reshape(2, 2), scale: 3);
        Assert.Equal((6, 6), (shown.Width, shown.Height));
        for (var y = 0; y < 6; y++)
            for (var x = 0; x < 6; x++)
                Assert.Equal((x < 3) == (y < 3) ? SKColors.Black : SKColors.White, shown.GetPixel(x, y));
    }

    [Theory]
    [InlineData(28, 28, 224, 224)]
    [InlineData(300, 451, 300, 451)]
    [InlineData(100, 60, 200, 120)]
    public void Without_a_scale_the_longer_side_nears_224(int height, int width, int shownHeight, int shownWidth)
    {
        using var shown = Show.Image(zeros(3, height, width));
        Assert.Equal((shownHeight, shownWidth), (shown.Height, shown.Width));
    }

    [Fact]
    public void A_grid_fills_row_by_row_between_white_gaps()
    {
        using var grid = Show.Grid(tensor(new[] { 0f, 0.2f, 0.4f }).reshape(3, 1, 1).expand(3, 10, 10), columns: 2, gap: 4, scale: 1);
        Assert.Equal((24, 24), (grid.Width, grid.Height));
        Assert.Equal(0, grid.GetPixel(5, 5).Red);
        Assert.Equal(51, grid.GetPixel(19, 5).Red);
        Assert.Equal(102, grid.GetPixel(5, 19).Red);
        Assert.Equal(SKColors.White, grid.GetPixel(12, 5));
        Assert.Equal(SKColors.White, grid.GetPixel(19, 19));
    }

    [Fact]
    public void Labels_are_written_under_each_image_in_full()
    {
        string[] labels = ["i", "a label wider than its image"];
        using var plain = Show.Grid(ones(2, 1, 10, 10), scale: 1);
        using var labelled = Show.Grid(ones(2, 1, 10, 10), scale: 1, labels: labels);
        Assert.InRange(labelled.Height, plain.Height + 10, plain.Height + 20);
        Assert.InRange(labelled.Width, 250, 450);
        Assert.InRange(Ink(labelled, 0, labelled.Width / 2), 5, 30);
        Assert.InRange(Ink(labelled, labelled.Width / 2, labelled.Width), 300, 1500);
        Assert.Contains("expected 2", Assert.Throws<ArgumentException>(() => Show.Grid(ones(2, 1, 10, 10), labels: ["one"])).Message);

        static int Ink(SKBitmap picture, int from, int to) =>
            Enumerable.Range(from, to - from).Sum(x => Enumerable.Range(10, picture.Height - 10).Count(y => picture.GetPixel(x, y).Red < 200));
    }

    [Fact]
    public void Grid_lines_lie_on_the_borders_of_the_patches()
    {
        using var shown = Show.GridLines(zeros(3, 8, 12), patchSize: 4, scale: 4);
        Assert.Equal((48, 32), (shown.Width, shown.Height));
        var bright = Enumerable.Range(0, 48).Where(x => shown.GetPixel(x, 7).Red > 128).ToArray();
        Assert.Equal(2, bright.Length);
        Assert.InRange(bright[0], 15, 16);
        Assert.InRange(bright[1], 31, 32);
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
        using var map = Show.Overlay(ones(3, 8, 16), heat, opacity: 1, scale: 1);
        Assert.Equal(new SKColor(0x44, 0x01, 0x54), map.GetPixel(0, 0));
        Assert.Equal(new SKColor(0xfd, 0xe7, 0x25), map.GetPixel(15, 7));
        using var image = Show.Overlay(ones(1, 8, 16), heat, opacity: 0, scale: 1);
        Assert.Equal(SKColors.White, image.GetPixel(3, 3));
        using var bytes = Show.Overlay(full([8, 16], 100, ScalarType.Byte), heat, opacity: 0, scale: 1);
        Assert.Equal(100, bytes.GetPixel(3, 3).Red);
        Assert.Throws<ArgumentException>(() => Show.Overlay(ones(3, 8, 16), ones(2)));
    }
}
