using Microsoft.Playwright;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Clients.Tests;

/// <summary>The player of <see cref="Film"/>, in a browser.</summary>
public sealed class FilmTests
{
    [Theory]
    [InlineData(1280)]
    [InlineData(320)]
    public async Task A_film_is_played_and_stepped_through_with_the_keyboard_and_says_where_it_is(int width)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("film-").FullName, "film.html");
        try
        {
            using (NewDisposeScope())
            {
                var frames = arange(5).reshape(1, 5, 1, 1).expand(3, 5, 32, 32) / 5.0;
                await File.WriteAllTextAsync(path, Show.Film(frames, ["one", "two", "three"], framesPerSecond: 50).ToHtml(), TestContext.Current.CancellationToken);
            }

            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(NotebookServer.Browser());
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = 700 } });
            var errors = new List<string>();
            page.PageError += (_, error) => errors.Add(error);
            await page.GotoAsync(new Uri(path).AbsoluteUri);
            await page.Locator("body[data-ready]").WaitForAsync();

            // It stands still at first, and every picture has a text.
            var said = page.Locator("#said");
            var second = page.Locator("figure img").Nth(1);
            Assert.Equal("1 of 5", await said.InnerTextAsync());
            Assert.Equal("two: frame 1 of 5", await second.GetAttributeAsync("alt"));

            // The keyboard: the button first, then the slider; at the end it stands.
            await page.Keyboard.PressAsync("Tab");
            Assert.Equal("play", await page.EvaluateAsync<string>("document.activeElement.id"));
            await page.Keyboard.PressAsync("Tab");
            await page.Keyboard.PressAsync("ArrowRight");
            Assert.Equal("2 of 5", await said.InnerTextAsync());
            Assert.Equal("two: frame 2 of 5", await second.GetAttributeAsync("alt"));
            var shown = await second.GetAttributeAsync("src");
            await page.Keyboard.PressAsync("End");
            Assert.Equal("5 of 5", await said.InnerTextAsync());
            Assert.NotEqual(shown, await second.GetAttributeAsync("src"));
            Assert.Equal("frame 5 of 5", await page.Locator("#frame").GetAttributeAsync("aria-valuetext"));

            // Played, it begins again, until it is paused or the slider is moved.
            var button = page.GetByRole(AriaRole.Button);
            await button.PressAsync("Enter");
            Assert.Equal("Pause", await button.InnerTextAsync());
            await page.WaitForFunctionAsync("document.getElementById('said').textContent === '2 of 5'");
            await button.PressAsync("Space");
            Assert.Equal("Play", await button.InnerTextAsync());
            await button.PressAsync("Enter");
            await page.Locator("#frame").PressAsync("Home");
            Assert.Equal("Play", await button.InnerTextAsync());
            Assert.Equal("1 of 5", await said.InnerTextAsync());
            // On the first frame too, where the slider stays where it is.
            await page.EvaluateAsync("() => { document.getElementById('play').click(); document.getElementById('frame').dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' })); }");
            Assert.Equal("Play", await button.InnerTextAsync());

            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
            Assert.True(await page.EvaluateAsync<bool>("[...document.images].every(picture => picture.complete && picture.naturalWidth === 32)"));
            Assert.Empty(errors);
            Directory.CreateDirectory(NotebookServer.Screenshots);
            await page.ScreenshotAsync(new() { Path = Path.Combine(NotebookServer.Screenshots, $"film-{width}.png"), FullPage = true });
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }
}
