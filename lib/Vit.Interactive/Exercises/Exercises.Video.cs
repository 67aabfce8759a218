namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Who looks at whom in each of the two attentions of a divided block; the tokens stand time by time.</summary>
    /// <param name="looksAt">From two tokens' numbers, N and whether it is the attention in time, to whether the first looks at the second.</param>
    public static string DividedAttention(Func<int, int, int, bool, bool> looksAt)
    {
        foreach (var (times, places) in new[] { (4, 4), (3, 5), (2, 6), (5, 2) })
            foreach (var inTime in new[] { true, false })
            {
                var tokens = Enumerable.Range(0, times * places).ToArray();
                bool[] All(Func<int, int, bool> of) => [.. tokens.SelectMany(i => tokens.Select(j => of(i, j)))];
                var yours = All((i, j) => looksAt(i, j, places, inTime));
                bool Is(Func<int, int, bool> of) => yours.SequenceEqual(All(of));
                bool SamePlace(int i, int j) => i % places == j % places;
                bool SameTime(int i, int j) => i / places == j / places;
                if (Is(inTime ? SamePlace : SameTime))
                    continue;
                var which = inTime ? "in time" : "in space";
                if (Is((_, _) => true))
                    return "Not yet: that is joint attention, every token looks at all.";
                if (Is((_, _) => false))
                    return "Not yet: nobody looks at anybody.";
                if (Is(inTime ? SameTime : SamePlace))
                    return "Not yet: the two are swapped. In time a token looks at its own place, in space at its own time.";
                if (Is((i, j) => i == j))
                    return $"Not yet: {which}, a token looks at itself only.";
                if (Is((i, j) => SamePlace(i, j) || SameTime(i, j)))
                    return "Not yet: that is both attentions at once. A divided block has one after the other.";
                if (!tokens.All(i => looksAt(i, i, places, inTime)))
                    return "Not yet: a token looks at itself, too.";
                var wrong = Array.FindIndex(yours.Zip(All(inTime ? SamePlace : SameTime), (y, e) => y != e).ToArray(), differs => differs);
                return $"Not yet: with {places} places, {which}, token {wrong / tokens.Length} {(yours[wrong] ? "does not look" : "looks")} at token {wrong % tokens.Length}. "
                    + "The first N tokens are those of the first time. What do number / N and number % N say?";
            }
        return "Right: division says when, the remainder says where.";
    }

    /// <summary>From how many times on a divided block takes fewer multiply-adds than a joint one.</summary>
    /// <param name="firstCheaper">From N, 2 or more, and D to the smallest such G.</param>
    public static string FirstCheaper(Func<long, long, long> firstCheaper)
    {
        foreach (var (N, D) in new[] { (16L, 32L), (16L, 60L), (196L, 768L), (49L, 96L), (2L, 8L), (9L, 100L) })
        {
            // The attentions are all that differs: 4 T D² + 2 T² D beside 8 T D² + 2 T (G + N) D.
            long First(Func<long, bool> cheaper) => Enumerable.Range(1, 10_000).Select(g => (long)g).FirstOrDefault(cheaper, -1);
            var right = First(G => 4 * D + 2 * (G + N) < 2 * G * N);
            var yours = firstCheaper(N, D);
            if (yours == right)
                continue;
            var at = $"for N = {N} and D = {D} you say {yours}";
            if (yours == First(G => G + N < G * N))
                return $"Not yet: {at}. That leaves out that a divided block has a second attention, with projections of its own.";
            if (yours == First(G => 4 * D + G + N < G * N))
                return $"Not yet: {at}. Attention has two products, of queries with keys and of weights with values.";
            if (yours == First(G => 4 * D + 2 * Math.Max(G, N) < 2 * G * N) || yours == First(G => 4 * D + 2 * N < 2 * G * N) || yours == First(G => 4 * D + 2 * G < 2 * G * N))
                return $"Not yet: {at}. A token looks at G tokens in time and then at N in space; count both.";
            if (yours == right - 1)
                return $"Not yet: {at}. There a divided block is not cheaper yet: it costs as much, or more.";
            return $"Not yet: {at}. Write down both costs with T = G · N, and divide by what they have in common.";
        }
        return "Right: the wider the tokens, the longer a film has to be before dividing pays.";
    }
}
