using CSharpKernel.Jupyter;

namespace CSharpKernel.Tests.Jupyter;

public sealed class CodePointsTests
{
    [Fact]
    public void Places_are_counted_as_runes_and_back() => Gen.String.Sample(text =>
    {
        var runes = text.EnumerateRunes().Count();
        var places = Enumerable.Range(0, runes + 1).Select(n => CodePoints.ToUtf16(text, n)).ToList();
        Assert.Equal(text.Length, places[^1]);
        Assert.Equal(Enumerable.Range(0, runes + 1), places.Select(p => CodePoints.FromUtf16(text, p)));
    });

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(9, 3)]
    public void Places_outside_are_the_nearest_end(int codePoints, int index) => Assert.Equal(index, CodePoints.ToUtf16("🙂a", codePoints));
}
