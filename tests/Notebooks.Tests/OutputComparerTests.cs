using System.Text;
using System.Text.Json.Nodes;
using CSharpKernel.Documents;
using static TorchSharp.torch;

namespace Notebooks.Tests;

public sealed class OutputComparerTests
{
    static NotebookCell Cell(string metadata, params string[] outputs) => Notebook.Parse(Encoding.UTF8.GetBytes($$"""
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
          {"cell_type": "code", "id": "a", "execution_count": 1, "source": "", "metadata": {{metadata}}, "outputs": [{{string.Join(',', outputs)}}]}]}
        """), "n").Cells[0];

    static string Stream(string text) => new JsonObject { ["output_type"] = "stream", ["name"] = "stdout", ["text"] = text }.ToJsonString();

    static string Data(params (string Type, JsonNode Content)[] data) => new JsonObject
    {
        ["output_type"] = "display_data",
        ["metadata"] = new JsonObject(),
        ["data"] = new JsonObject(data.Select(d => KeyValuePair.Create(d.Type, (JsonNode?)d.Content))),
    }.ToJsonString();

    static IReadOnlyList<string> Compare(string was, string now, string metadata = "{}") => OutputComparer.Differences(Cell(metadata, was), Cell(metadata, now));

    static string Png(int width, int height, bool blank)
    {
        using var scope = NewDisposeScope();
        var picture = full([3, height, width], 0.5);
        if (!blank)
        {
            picture[0, 0, 0] = 1;
        }

        return Convert.ToBase64String(Vit.Data.Picture.Encode(picture));
    }

    [Theory]
    [InlineData("loss 0.5000\nacc 81.25 %", "loss 0.5004\nacc 81.26 %")]
    [InlineData("|  9.9996|", "| 10.0001|")]
    [InlineData("name  a value  more\nx     9.9996   y", "name  a value   more\nx     10.0001   y")]
    [InlineData("largest difference 3.1e-07", "largest difference 0")]
    [InlineData("-0.0000", "0.0000")]
    [InlineData("[1, 196, 768] mean 0.1234", "[1, 196, 768] mean 0.1235")]
    [InlineData("[0.1234, 0.2]", "[0.1235, 0.2]")]
    [InlineData("no numbers", "no numbers")]
    public void Numbers_within_the_tolerance_are_equal(string was, string now)
    {
        Assert.Empty(Compare(Stream(was), Stream(now)));
        Assert.Empty(Compare(Data(("text/plain", was)), Data(("text/plain", now))));
    }

    [Theory]
    [InlineData("loss 0.5000", "loss 0.5020")]
    [InlineData("[1, 196, 768]", "[1, 197, 768]")]
    [InlineData("shape [1, 5000, 768]", "shape [1, 5001, 768]")]
    [InlineData("86,567,656 parameters", "86,567,657 parameters")]
    [InlineData("epoch 5000", "epoch 5001")]
    [InlineData("loss 0.5", "lose 0.5")]
    [InlineData("loss 0.5", "loss NaN")]
    [InlineData("1.0 2.0", "1.0")]
    [InlineData("1.0", "1.0\nmore")]
    [InlineData("conv1", "conv2")]
    [InlineData("a\nb", "a b")]
    [InlineData("1.5", "-1.5")]
    public void Other_differences_are_told(string was, string now)
    {
        Assert.Single(Compare(Stream(was), Stream(now)));
        Assert.Single(Compare(Data(("text/plain", was)), Data(("text/plain", now))));
    }

    [Fact]
    public void The_line_that_differs_is_told() =>
        Assert.Equal("output 1, text: committed \"b 2.0\", now \"b 3.0\"", Assert.Single(Compare(Stream("a 1.0\nb 2.0\nc"), Stream("a 1.0001\nb 3.0\nc"))));

    [Fact]
    public void A_cell_may_state_a_wider_tolerance_but_shapes_stay_exact()
    {
        const string Wide = """{"tolerance": 0.05}""";
        Assert.Empty(Compare(Stream("0.80 of 1000"), Stream("0.84 of 1040"), Wide));
        Assert.Single(Compare(Stream("0.80"), Stream("0.86"), Wide));
        Assert.Single(Compare(Stream("[1, 196, 768]"), Stream("[1, 197, 768]"), Wide));
        Assert.Empty(Compare(Stream("[\n  0.80\n]"), Stream("[\n  0.84\n]"), Wide));
        Assert.Single(Compare(Stream("[\n  100\n]"), Stream("[\n  101\n]"), Wide));
    }

    [Fact]
    public void A_missing_or_new_output_is_told()
    {
        Assert.Single(OutputComparer.Differences(Cell("{}", Stream("a"), Data(("text/plain", "b"))), Cell("{}", Stream("a"))));
        Assert.Single(OutputComparer.Differences(Cell("{}"), Cell("{}", Stream("a"))));
        Assert.Single(OutputComparer.Differences(Cell("{}", Data(("image/png", Png(2, 2, false)))), Cell("{}", Data(("text/plain", "x")))));
        Assert.Single(OutputComparer.Differences(Cell("{}"), Cell("{}", """{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}""")));
    }

    [Fact]
    public void An_errors_text_is_compared()
    {
        static string Error(string message, string trace) => new JsonObject { ["output_type"] = "error", ["ename"] = "E", ["evalue"] = message, ["traceback"] = new JsonArray("first", trace) }.ToJsonString();
        Assert.Empty(Compare(Error("m", "t"), Error("m", "t")));
        Assert.Single(Compare(Error("m", "t"), Error("n", "t")));
        Assert.Single(Compare(Error("m", "line 1"), Error("m", "line 2")));
    }

    [Fact]
    public void Pictures_have_the_same_size_and_are_not_blank()
    {
        var committed = Data(("image/png", Png(4, 3, false)));
        Assert.Empty(Compare(committed, Data(("image/png", Png(4, 3, false)))));
        Assert.Contains("committed 4×3, now 3×4", Assert.Single(Compare(committed, Data(("image/png", Png(3, 4, false))))));
        Assert.Contains("blank", Assert.Single(Compare(committed, Data(("image/png", Png(4, 3, true))))));
        Assert.Contains("decoded", Assert.Single(Compare(committed, Data(("image/png", "QUJD")))));
    }

    [Fact]
    public void Charts_are_compared_by_structure()
    {
        static JsonNode Chart(string traces, string title = "Loss") => JsonNode.Parse($$"""{"data": {{traces}}, "layout": {"title": {"text": "{{title}}"} } }""")!;
        const string One = """[{"type": "scatter", "x": [1, 2], "y": [0.5, 0.25]}]""";
        var committed = Data((ChartPictures.ChartType, Chart(One)), ("image/png", Png(2, 2, false)), ("text/plain", "chart"));
        static string Live(JsonNode chart) => Data((ChartPictures.ChartType, chart), ("text/html", "<div id=\"1\">"), ("text/plain", "chart"));
        Assert.Empty(Compare(committed, Live(Chart("""[{"type": "scatter", "x": [1, 2], "y": [7, 8]}]"""))));
        Assert.Single(Compare(committed, Live(Chart("""[{"type": "bar", "x": [1, 2], "y": [0.5, 0.25]}]"""))));
        Assert.Single(Compare(committed, Live(Chart("""[{"type": "scatter", "x": [1, 2, 3], "y": [0.5, 0.25]}]"""))));
        Assert.Single(Compare(committed, Live(Chart("[]"))));
        Assert.Single(Compare(committed, Live(Chart(One, "Gain"))));
        Assert.Single(Compare(committed, Data(("text/html", "<div>"), ("text/plain", "chart"))));
        Assert.Single(Compare(Data(("application/x+json", JsonNode.Parse("[1.0]")!)), Data(("application/x+json", JsonNode.Parse("[1.1]")!))));
    }

    [Fact]
    public void Of_a_varying_cell_only_the_kinds_count()
    {
        const string Varying = """{"tags": ["varying"]}""";
        Assert.Empty(Compare(Stream("12 ms"), Stream("345 ms"), Varying));
        Assert.Single(Compare(Stream("12 ms"), Data(("text/plain", "12 ms")), Varying));
        Assert.Single(OutputComparer.Differences(Cell(Varying, Stream("a")), Cell(Varying)));
    }
}
