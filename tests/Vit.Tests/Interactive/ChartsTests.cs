using System.Text.Json.Nodes;
using Plotly.NET;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public class ChartsTests
{
    [Fact]
    public void Lines_count_from_one_or_take_their_own_points()
    {
        var counted = Figure(Charts.Lines("T", "epoch", "loss", ("train", [0.123456789, 2, 3])));
        Assert.Equal("[1,2,3]", Numbers(counted, 0, "x"));
        Assert.Equal("[0.12346,2,3]", Numbers(counted, 0, "y"));
        Assert.False((bool)counted["data"]![0]!["showlegend"]!);

        var free = Figure(Charts.Lines("T", "epoch", "loss", ("a", [1, 10], [5, 6]), ("b", [2], [7])));
        Assert.Equal("[1,10]", Numbers(free, 0, "x"));
        Assert.Equal("[7]", Numbers(free, 1, "y"));
        Assert.Equal("b", (string?)free["data"]![1]!["name"]);
        Assert.True((bool)free["data"]![1]!["showlegend"]!);
    }

    [Fact]
    public void A_logarithmic_axis_is_labelled_at_its_points_while_they_are_few()
    {
        var few = Figure(Charts.Lines("T", new Axis("images", Logarithmic: true), "loss", ("a", [10, 60_000], [1, 2]), ("b", [0.5, 10], [1, 2])));
        Assert.Equal([0.5, 10, 60_000], few["layout"]!["xaxis"]!["tickvals"]!.AsArray().Select(value => (double)value!));
        Assert.Equal("""["0.5","10","60,000"]""", few["layout"]!["xaxis"]!["ticktext"]!.ToJsonString());

        var many = Enumerable.Range(1, 13).Select(i => (double)i).ToArray();
        var more = Figure(Charts.Lines("T", new Axis("images", Logarithmic: true), new Axis("loss", Logarithmic: true), ("a", many, many.Select(x => Math.Pow(10, -x)))));
        Assert.Equal([1, 2, 5, 10, 20, 50, 100, 200, 500], more["layout"]!["xaxis"]!["tickvals"]!.AsArray().Select(value => (double)value!));
        Assert.Null(more["layout"]!["yaxis"]!["tickvals"]);
        Assert.Null(Figure(Charts.Lines("T", "images", "loss", ("a", [10, 60_000], [1, 2])))["layout"]!["xaxis"]!["tickvals"]);
    }

    [Fact]
    public void Every_chart_has_titles_size_and_a_white_ground()
    {
        foreach (var chart in new[]
        {
            Charts.Lines("T", "along", new Axis("up", Logarithmic: true), ("a", [1, 2])),
            Charts.Bars("T", "along", new Axis("up", Logarithmic: true), ["p", "q"], ("a", [1, 2])),
            Charts.Heatmap("T", "along", new Axis("up", Logarithmic: true), ones(2, 3)),
        })
        {
            var layout = Figure(chart)["layout"]!;
            Assert.Equal("T", (string?)layout["title"]!["text"]);
            Assert.Equal("along", (string?)layout["xaxis"]!["title"]!["text"]);
            Assert.Equal("up", (string?)layout["yaxis"]!["title"]!["text"]);
            Assert.Equal("log", (string?)layout["yaxis"]!["type"]);
            Assert.Null(layout["xaxis"]!["type"]);
            Assert.Equal((700, 420), ((int)layout["width"]!, (int)layout["height"]!));
            Assert.Equal("white", (string?)layout["plot_bgcolor"]);
            Assert.Equal("#0072b2", (string?)layout["colorway"]![0]);
        }
    }

    [Fact]
    public void Bars_stand_on_their_categories()
    {
        var figure = Figure(Charts.Bars("T", "part", "share", ["p", "q"], ("a", [1, 2]), ("b", [3, 4])));
        Assert.Equal(["p", "q"], figure["data"]![1]!["x"]!.AsArray().Select(name => (string?)name));
        Assert.Equal("[3,4]", Numbers(figure, 1, "y"));
    }

    [Fact]
    public void A_heat_map_has_its_first_row_on_top_and_square_cells_if_it_is_square()
    {
        var figure = Figure(Charts.Heatmap("T", "key", "query", arange(4).reshape(2, 2), columns: ["p", "q"]));
        Assert.Equal("[[0,1],[2,3]]", Numbers(figure, 0, "z"));
        Assert.Equal("reversed", (string?)figure["layout"]!["yaxis"]!["autorange"]);
        Assert.Equal("x", (string?)figure["layout"]!["yaxis"]!["scaleanchor"]);
        Assert.Equal(["p", "q"], figure["data"]![0]!["x"]!.AsArray().Select(name => (string?)name));
        Assert.Equal("%{z:.2~f}", (string?)figure["data"]![0]!["texttemplate"]);
        Assert.Null(Figure(Charts.Heatmap("T", "key", "query", ones(13, 3)))["data"]![0]!["texttemplate"]);
        Assert.Null(Figure(Charts.Heatmap("T", "key", "query", ones(2, 3)))["layout"]!["yaxis"]!["scaleanchor"]);
        Assert.Contains("[rows, columns]", Assert.Throws<ArgumentException>(() => Charts.Heatmap("T", "x", "y", ones(2))).Message);
    }

    static JsonNode Figure(GenericChart chart) => JsonNode.Parse(ChartOutput.Json(chart))!;

    static string Numbers(JsonNode figure, int trace, string property) => figure["data"]![trace]![property]!.ToJsonString().Replace(".0", "");
}
