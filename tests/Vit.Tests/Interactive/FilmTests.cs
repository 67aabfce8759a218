using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.DotNet.Interactive.Formatting;
using Vit.Data;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public sealed partial class FilmTests
{
    [Fact]
    public void The_player_holds_every_frame_as_it_is()
    {
        using var scope = NewDisposeScope();
        var films = rand(2, 3, 4, 6).mul(255).round().to(ScalarType.Byte);

        var film = Show.Film(films, ["left", "</script>"], framesPerSecond: 5);

        var html = film.ToHtml();
        var data = JsonNode.Parse(Data().Match(html).Groups[1].Value)!;
        Assert.Equal((3, 5.0), ((int)data["frames"]!, (double)data["framesPerSecond"]!));
        Assert.Equal(["left", "</script>"], data["films"]!.AsArray().Select(f => (string)f!["name"]!));
        for (var i = 0; i < 2; i++)
            for (var frame = 0; frame < 3; frame++)
            {
                var png = Convert.FromBase64String((string)data["films"]![i]!["frames"]![frame]!);
                Close.Equal(films[i, frame].to(float32) / 255, Picture.Decode(png)[0]);
            }
        Assert.Single(Script().Matches(html));
        Assert.DoesNotContain("http", html.Replace("data:image", ""), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_no_script_runs_there_is_a_row_of_frames_for_each_film()
    {
        using var scope = NewDisposeScope();
        var films = stack([zeros(3, 10, 10), ones(3, 10, 10) / 2]);

        var picture = Show.Film(films, ["a", "b"], size: 20).Picture;

        Assert.Equal(3 * 24 - 4, picture.Width);
        var pixels = Picture.Decode(picture.Content)[0];
        var line = Lettering.LineHeight + 2;
        foreach (var x in new[] { 10, 34, 58 })
        {
            Assert.Equal(0, pixels[line + 10, x].item<float>());
            Assert.Equal(128 / 255f, pixels[2 * line + 24 + 10, x].item<float>(), 2e-3);
        }
        Assert.Equal(1, pixels[line + 10, 22].item<float>());
    }

    [Fact]
    public void A_notebook_is_offered_the_player_the_rows_and_words()
    {
        using var scope = NewDisposeScope();
        Formatters.Register();
        var film = Show.Film(zeros(1, 2, 4, 4), ["\"still\""]);
        Assert.Equal("films: 1 of 2 frames, \"still\"", film.ToDisplayString("text/plain"));
        Assert.StartsWith("<iframe srcdoc=\"&lt;!DOCTYPE html&gt;", film.ToDisplayString("text/html"));
        Assert.Contains("title=\"films: 1 of 2 frames, &quot;still&quot;\"", film.ToDisplayString("text/html"));
        Assert.Equal(film.Picture.Content, Convert.FromBase64String(film.ToDisplayString("image/png")));
    }

    [Fact]
    public void What_is_no_film_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("expected [N, F, H, W]", Assert.Throws<ArgumentException>(() => Show.Film(zeros(3, 4, 4), ["a"])).Message);
        Assert.Contains("expected [N, F, H, W]", Assert.Throws<ArgumentException>(() => Show.Film(zeros(1, 0, 4, 4), ["a"])).Message);
        Assert.Contains("Found 1 names, expected 2", Assert.Throws<ArgumentException>(() => Show.Film(zeros(2, 3, 4, 4), ["a"])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Show.Film(zeros(1, 3, 4, 4), ["a"], framesPerSecond: 0));
    }

    [GeneratedRegex("const data = (\\{.*\\});")]
    private static partial Regex Data();

    [GeneratedRegex("</script>")]
    private static partial Regex Script();
}
