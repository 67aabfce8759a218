using Vit.Interactive;

namespace Vit.Tests.Interactive;

public class TableTests
{
    static readonly Table Models = new("model", "parameters", "accuracy") { { "Ti/16", 5_717_416, 0.92134 }, { "<b>", 1, null } };

    [Fact]
    public void Html_is_plain_and_escaped() => Assert.Equal(
        """
        <table>
        <thead><tr><th>model</th><th>parameters</th><th>accuracy</th></tr></thead>
        <tbody>
        <tr><td>Ti/16</td><td>5,717,416</td><td>0.9213</td></tr>
        <tr><td>&lt;b&gt;</td><td>1</td><td></td></tr>
        </tbody>
        </table>
        """.ReplaceLineEndings("\n"), Models.ToHtml());

    [Fact]
    public void Text_stands_in_columns() => Assert.Equal(
        """
        model  parameters  accuracy
        Ti/16  5,717,416   0.9213
        <b>    1
        """.ReplaceLineEndings("\n"), Models.ToString());

    [Fact]
    public void A_row_of_another_width_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => new Table("a", "b") { { 1, 2, 3 } });
        Assert.Contains("3 cells, expected 2, one for each of a, b", error.Message);
    }
}
