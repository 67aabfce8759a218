using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.DotNet.Interactive.Formatting;
using TorchSharp.Modules;
using Vit.Data;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public partial class FormattersTests
{
    const string Plotly = "application/vnd.plotly.v1+json";

    public FormattersTests() => Formatters.Register();

    [Fact]
    public void Registering_again_changes_nothing()
    {
        var before = Formatter.RegisteredFormatters(includeDefaults: false).Count();
        Formatters.Register();
        Assert.Equal(before, Formatter.RegisteredFormatters(includeDefaults: false).Count());
    }

    [Fact]
    public void Each_type_goes_out_in_all_its_forms_at_once()
    {
        Check(["text/plain"], ones(2));
        Check(["text/plain"], new Parameter(ones(2)));
        Check(["image/png", "text/plain"], new PngPicture(ones(2, 2)));
        Check([Plotly, "text/html", "text/plain"], Chart());
        Check(["text/html", "text/plain"], new Table("a"));

        static void Check(string[] expected, object value) => Assert.Equal(expected, Formatter.GetPreferredMimeTypesFor(value.GetType()));
    }

    [Fact]
    public void Tensors_say_shape_type_and_device_and_show_their_first_values()
    {
        Equal("[] float32 cpu\n3.2500", tensor(3.25f));
        Equal("[3] int64 cpu\n0  1  2", arange(3));
        Equal("[2, 3] uint8 cpu\n1  1  1\n1  1  1", ones(2, 3, ScalarType.Byte));
        Equal("[2] bool cpu\n true  false", tensor(new[] { true, false }));
        Equal("[2, 2] float32 cpu\n1.0000  0.0000\n0.0000  1.0000", new Parameter(eye(2)));
        Equal("[2] float64 cpu\n 1.000e-05  -2.000e-05", tensor(new[] { 1e-5, -2e-5 }));
        Equal("[3] float32 cpu\n     NaN  Infinity    1.0000", tensor(new[] { float.NaN, float.PositiveInfinity, 1f }));
        Equal("[0, 3] float32 cpu", zeros(0, 3));
        Equal("[1] complexfloat32 cpu", zeros(1, ScalarType.ComplexFloat32));

        static void Equal(string expected, Tensor value) => Assert.Equal(expected, value.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Large_tensors_stay_within_eight_lines()
    {
        var text = randn(1, 197, 768).ToDisplayString("text/plain");
        Assert.StartsWith("[1, 197, 768] float32 cpu, at [0, :, :]\n", text);
        Assert.Equal(8, text.Split('\n').Length);
        Assert.True(text.Split('\n').Max(line => line.Length) < 100);
    }

    [Fact]
    public void What_is_disposed_says_so()
    {
        var tensor = ones(2);
        tensor.Dispose();
        Assert.Equal("a disposed tensor", tensor.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Showing_a_tensor_leaves_it_and_its_scope_alone()
    {
        using var scope = NewDisposeScope();
        var tensor = ones(2, 2);
        _ = tensor.ToDisplayString("text/plain");
        Assert.False(tensor.IsInvalid);
        Assert.Equal(1, scope.DisposablesCount);
    }

    [Fact]
    public void Pictures_are_png_that_reads_back()
    {
        var picture = new PngPicture(eye(5));
        Assert.True(Picture.Decode(Convert.FromBase64String(picture.ToDisplayString("image/png"))).equal(eye(5).expand(3, 5, 5)).all().item<bool>());
        Assert.Equal("picture: 5 × 5 pixels", picture.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Charts_carry_data_and_layout_without_the_default_template()
    {
        foreach (var chart in new[] { Chart(), global::Plotly.NET.CSharp.Chart.Line<double, double, string>([1.0, 2], [3.0, 4]) })
        {
            var figure = JsonNode.Parse(chart.ToDisplayString(Plotly))!;
            Assert.NotEmpty(figure["data"]!.AsArray());
            Assert.Null(figure["layout"]!["template"]);
        }
        Assert.Equal("chart: Loss <by> epoch, 2 traces", Chart().ToDisplayString("text/plain"));
        Assert.Equal("chart: untitled, 1 trace", global::Plotly.NET.CSharp.Chart.Line<double, double, string>([1.0, 2], [3.0, 4]).ToDisplayString("text/plain"));
    }

    [Fact]
    public void A_charts_HTML_is_its_data_and_a_little_script_and_asks_no_network()
    {
        var html = ChartOutput.Html(Chart(), 2);
        Assert.InRange(html.Length - ChartOutput.Json(Chart()).Length, 500, 2_000);
        Assert.DoesNotContain("src=", html);
        Assert.DoesNotContain("//", html);
        Assert.Contains("<div id=\"chart-2-", html);
        // Text of a chart cannot end its script.
        Assert.DoesNotContain("<by>", html);
        Assert.Single(html.Split("</script").Skip(1));
    }

    [Fact]
    public void Outputs_are_the_same_each_time()
    {
        Assert.Equal(ChartOutput.Html(Chart(), 7), ChartOutput.Html(Chart(), 7));
        Assert.Equal(Chart().ToDisplayString(Plotly), Chart().ToDisplayString(Plotly));
        Assert.DoesNotMatch(Guid(), ChartOutput.Html(Chart(), 2) + Chart().ToDisplayString(Plotly));
    }

    static global::Plotly.NET.GenericChart Chart() =>
        Charts.Lines("Loss <by> epoch", "epoch", "loss", ("train", [2, 1]), ("validation", [2.5, 1.5]));

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-", RegexOptions.IgnoreCase)]
    private static partial Regex Guid();
}
