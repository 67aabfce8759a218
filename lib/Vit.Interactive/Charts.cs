using System.Globalization;
using Plotly.NET;
using Plotly.NET.CSharp;
using Plotly.NET.LayoutObjects;
using static TorchSharp.torch;
using Chart = Plotly.NET.CSharp.Chart;

namespace Vit.Interactive;

/// <summary>The kinds of chart that the notebooks need, all dressed alike; a <see cref="GenericChart"/> takes any further styling of Plotly.NET.</summary>
public static class Charts
{
    // M. Okabe and K. Ito, "Color Universal Design": distinct for colour-blind eyes too.
    static readonly string[] Palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

    /// <summary>Lines over 1, 2, 3, …: epochs or layers.</summary>
    /// <param name="title">What the chart shows.</param>
    /// <param name="x">The axis along; a text, or <c>new Axis("…", Logarithmic: true)</c>.</param>
    /// <param name="y">The axis up.</param>
    /// <param name="series">Each line's name and values.</param>
    public static GenericChart Lines(string title, Axis x, Axis y, params (string Name, IEnumerable<double> Y)[] series) =>
        Lines(title, x, y, [.. series.Select(line => (line.Name, line.Y.Select((_, i) => i + 1.0), line.Y))]);

    /// <summary>Lines through points.</summary>
    /// <param name="title">What the chart shows.</param>
    /// <param name="x">The axis along.</param>
    /// <param name="y">The axis up.</param>
    /// <param name="series">Each line's name, its points along and its points up.</param>
    /// <remarks>A logarithmic axis along with at most twelve points is labelled at these: 4, 8, 16 rather than powers of ten.</remarks>
    public static GenericChart Lines(string title, Axis x, Axis y, params (string Name, IEnumerable<double> X, IEnumerable<double> Y)[] series) =>
        Dressed(title, x, y, points: series.SelectMany(line => line.X), values: series.SelectMany(line => line.Y), charts: series.Select(line => Chart.Line<double, double, string>(
            Short(line.X), Short(line.Y), Name: line.Name, ShowMarkers: line.Y.Count() <= 30, ShowLegend: series.Length > 1, UseDefaults: false)));

    /// <summary>Upright bars, side by side for each category.</summary>
    /// <param name="title">What the chart shows.</param>
    /// <param name="x">The axis along.</param>
    /// <param name="y">The axis up.</param>
    /// <param name="categories">What stands under the bars.</param>
    /// <param name="series">Each series' name and its values, one for each category.</param>
    public static GenericChart Bars(string title, Axis x, Axis y, IEnumerable<string> categories, params (string Name, IEnumerable<double> Values)[] series) =>
        Dressed(title, x, y, values: series.SelectMany(bars => bars.Values), charts: series.Select(bars => Chart.Column<double, string, string>(
            Short(bars.Values), Keys: new(categories, true), Name: bars.Name, ShowLegend: series.Length > 1, UseDefaults: false)));

    /// <summary>A matrix as colours, its first row on top; a square one with square cells, a small one with its numbers.</summary>
    /// <param name="title">What the chart shows.</param>
    /// <param name="x">The axis along: the columns.</param>
    /// <param name="y">The axis down: the rows.</param>
    /// <param name="values">[rows, columns].</param>
    /// <param name="columns">The columns' names; their numbers from 0 if null.</param>
    /// <param name="rows">The rows' names; their numbers from 0 if null.</param>
    /// <exception cref="ArgumentException">The values have not two dimensions.</exception>
    public static GenericChart Heatmap(string title, Axis x, Axis y, Tensor values, IReadOnlyList<string>? columns = null, IReadOnlyList<string>? rows = null)
    {
        if (values.dim() != 2)
            throw new ArgumentException($"Found shape {Shape.Of(values)}, expected [rows, columns].", nameof(values));
        using var scope = NewDisposeScope();
        var numbers = values.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
        var matrix = numbers.Chunk((int)values.shape[1]).Select(Short);
        var chart = Chart.Heatmap<double, string, string, string>(
            matrix, X: Names(columns), Y: Names(rows), ColorScale: StyleParam.Colorscale.Viridis, ReverseYAxis: true, UseDefaults: false);
        // Up to twelve columns there is room for the numbers themselves. (No list of F#'s: .NET Interactive has another FSharp.Core than this was built with.)
        if (values.shape[0] <= 12 && values.shape[1] <= 12 && chart is GenericChart.Chart { data: var trace })
            trace.SetProperty("texttemplate", "%{z:.2~f}");
        return Dressed(title, x, y, charts: [chart], reversed: true, square: values.shape[0] == values.shape[1]);

        static Optional<IEnumerable<string>> Names(IReadOnlyList<string>? names) => names is null ? default : new(names, true);
    }

    static GenericChart Dressed(
        string title, Axis x, Axis y, IEnumerable<GenericChart> charts,
        IEnumerable<double>? points = null, IEnumerable<double>? values = null, bool reversed = false, bool square = false)
    {
        var (along, up) = (Scale(x), Scale(y));
        if (x.Logarithmic && points?.Distinct().Order().ToArray() is { } few)
            Label(along, few.Length <= 12 ? few : Steps(few));
        if (y.Logarithmic && values is not null)
            Label(up, Steps([.. values]));
        if (reversed)
            up.SetProperty("autorange", "reversed");
        if (square)
        {
            up.SetProperty("scaleanchor", "x");
            up.SetProperty("constrain", "domain");
            along.SetProperty("constrain", "domain");
        }
        var layout = new Layout();
        layout.SetProperty("title", Titled(title, 18));
        layout.SetProperty("xaxis", along);
        layout.SetProperty("yaxis", up);
        layout.SetProperty("width", 700);
        layout.SetProperty("height", square ? 600 : 420);
        layout.SetProperty("font", new { size = 14, family = "sans-serif" });
        layout.SetProperty("colorway", Palette);
        layout.SetProperty("plot_bgcolor", "white");
        layout.SetProperty("paper_bgcolor", "white");
        layout.SetProperty("margin", new { l = 80, r = 30, t = 60, b = 70 });
        return GenericChart.setLayout(layout, Chart.Combine(charts));
    }

    static Title Titled(string text, int size)
    {
        var title = new Title();
        title.SetProperty("text", text);
        title.SetProperty("font", new { size });
        return title;
    }

    static LinearAxis Scale(Axis axis)
    {
        var scale = new LinearAxis();
        var title = Titled(axis.Title, 15);
        title.SetProperty("standoff", 12);
        scale.SetProperty("title", title);
        scale.SetProperty("gridcolor", "#dddddd");
        scale.SetProperty("zerolinecolor", "#bbbbbb");
        scale.SetProperty("linecolor", "#444444");
        scale.SetProperty("automargin", true);
        if (axis.Logarithmic)
        {
            scale.SetProperty("type", "log");
            scale.SetProperty("exponentformat", "power");
        }
        return scale;
    }

    // On a logarithmic axis Plotly writes 20 and 200 both as a small 2. So: 1, 2, 5 of each power of ten, or the powers alone.
    static double[] Steps(double[] values)
    {
        values = [.. values.Where(value => value > 0 && double.IsFinite(value))];
        if (values.Length == 0)
            return [];
        var (low, high) = ((int)Math.Floor(Math.Log10(values.Min())), (int)Math.Ceiling(Math.Log10(values.Max())));
        return high - low > 8 ? [] : [.. from power in Enumerable.Range(low, high - low + 1)
            from step in high - low > 3 ? new[] { 1 } : [1, 2, 5]
            select step * Math.Pow(10, power)];
    }

    static void Label(LinearAxis axis, double[] at)
    {
        if (at.Length == 0)
            return;
        axis.SetProperty("tickmode", "array");
        axis.SetProperty("tickvals", Short(at));
        axis.SetProperty("ticktext", at.Select(value => value.ToString("#,0.########", CultureInfo.InvariantCulture)).ToArray());
    }

    // Five digits are more than a chart shows, and keep the notebooks' files small.
    static double[] Short(IEnumerable<double> values) =>
        [.. values.Select(value => double.Parse(value.ToString("G5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture))];
}
