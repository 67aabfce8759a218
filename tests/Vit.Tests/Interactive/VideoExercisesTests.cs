using Vit.Interactive;

namespace Vit.Tests.Interactive;

public sealed class VideoExercisesTests
{
    [Fact]
    public void Divided_attention_is_told_from_each_mistake()
    {
        Says("Right:", (i, j, N, inTime) => inTime ? i % N == j % N : i / N == j / N);
        Says("Not yet: that is joint attention", (_, _, _, _) => true);
        Says("Not yet: nobody", (_, _, _, _) => false);
        Says("Not yet: the two are swapped", (i, j, N, inTime) => inTime ? i / N == j / N : i % N == j % N);
        Says("Not yet: in time, a token looks at itself only", (i, j, _, _) => i == j);
        Says("Not yet: that is both attentions at once", (i, j, N, _) => i % N == j % N || i / N == j / N);
        Says("Not yet: a token looks at itself, too", (i, j, N, inTime) => i != j && (inTime ? i % N == j % N : i / N == j / N));
        Says("Not yet: with 5 places, in time, token 0 does not look at token 4.", (i, j, _, inTime) => inTime ? i % 4 == j % 4 : i / 4 == j / 4);

        static void Says(string answer, Func<int, int, int, bool, bool> looksAt) => Assert.StartsWith(answer, Exercises.DividedAttention(looksAt));
    }

    [Fact]
    public void When_dividing_pays()
    {
        Says("Right:", (N, D) => (2 * D + N) / (N - 1) + 1);
        Says("Not yet: for N = 16 and D = 32 you say 2. That leaves out", (_, _) => 2);
        Says("Not yet: for N = 16 and D = 32 you say 10. Attention has two products", (N, D) => (4 * D + N) / (N - 1) + 1);
        Says("Not yet: for N = 16 and D = 32 you say 5. A token looks at G tokens in time", (N, D) => 2 * D / (N - 1) + 1);
        Says("Not yet: for N = 2 and D = 8 you say 18. There a divided block is not cheaper yet", (N, D) => (2 * D + N - 1) / (N - 1) + 1);
        Says("Not yet: for N = 16 and D = 32 you say 0. Write down", (_, _) => 0);

        static void Says(string answer, Func<long, long, long> firstCheaper) => Assert.StartsWith(answer, Exercises.FirstCheaper(firstCheaper));
    }
}
