using Microsoft.Playwright;
using Vit.Data;
using Vit.Interactive;
using Vit.Models;
using Vit.Weights;

namespace Clients.Tests;

/// <summary>The page that <see cref="Explorer"/> writes, in a browser.</summary>
public sealed class ExplorerTests
{
    [Theory]
    [InlineData(1440)]
    [InlineData(360)]
    public async Task A_patch_is_pointed_at_and_walked_to_and_says_where_it_looks(int width)
    {
        var folder = Directory.CreateTempSubdirectory("explorer-");
        try
        {
            var path = Path.Combine(folder.FullName, "explorer.html");
            var test = FashionMnist.Load(Split.Test, DataFolder.PathTo("fashion-mnist"));
            using (var pretrained = Pretrained.Load<VisionTransformer>(DataFolder.PathTo("checkpoints", "fashion-mnist-vit")))
            {
                Explorer.Of(pretrained, [.. Enumerable.Range(0, 3).Select(i => test.Images[i] / 255f)], ["boot", "pullover", "trouser"]).Save(path);
            }

            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(NotebookServer.Browser());
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = 900 } });
            var errors = new List<string>();
            page.PageError += (_, error) => errors.Add(error);
            await page.GotoAsync(new Uri(path).AbsoluteUri);
            await page.Locator("body[data-ready]").WaitForAsync();

            // First what the class token sees in the last block; the head says the class.
            var said = page.Locator("#said");
            Assert.StartsWith("boot, block 6, mean of all heads. The class token looks most at row ", await said.InnerTextAsync());
            Assert.StartsWith("Ankle boot ", await page.Locator("tbody tr").Last.Locator("td").Nth(1).InnerTextAsync());

            // The mouse: the patch in the middle of seven by seven; a click holds it.
            var map = page.Locator("#map");
            await map.ClickAsync();
            Assert.Contains("The patch in row 4, column 4 looks", await said.InnerTextAsync());
            await map.HoverAsync(new() { Position = new() { X = 5, Y = 5 } });
            Assert.Contains("The patch in row 4, column 4 looks", await said.InnerTextAsync());

            // The keyboard: patches, blocks, heads, pictures.
            await map.FocusAsync();
            await page.Keyboard.PressAsync("ArrowUp");
            await page.Keyboard.PressAsync("ArrowRight");
            Assert.Contains("The patch in row 3, column 5 looks", await said.InnerTextAsync());
            await page.Locator("#block").FocusAsync();
            await page.Keyboard.PressAsync("Home");
            await page.Locator("#head").FocusAsync();
            await page.Keyboard.PressAsync("ArrowRight");
            Assert.StartsWith("boot, block 1, head 1.", await said.InnerTextAsync());
            await page.GetByRole(AriaRole.Button, new() { Name = "trouser" }).PressAsync("Enter");
            Assert.StartsWith("trouser, block 1, head 1.", await said.InnerTextAsync());
            await page.GetByLabel("likeness").CheckAsync();
            Assert.Contains("Cosines with the patch in row 3, column 5", await said.InnerTextAsync());
            await page.GetByLabel("rollout to the head").CheckAsync();
            Assert.Contains("What the head reads, the class token, is made most of row", await said.InnerTextAsync());

            // Nothing reaches over the edge, and all that is drawn has a text.
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
            Assert.Equal(0, await page.Locator("canvas:not([aria-label]):not([aria-hidden])").CountAsync());
            Assert.Empty(errors);
            Directory.CreateDirectory(NotebookServer.Screenshots);
            await page.ScreenshotAsync(new() { Path = Path.Combine(NotebookServer.Screenshots, $"explorer-{width}.png"), FullPage = true });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
