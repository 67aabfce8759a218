using Vit.Detection;

namespace Vit.Tests.Detection;

public sealed class MatchingTests
{
    static double Sum(double[,] cost, int[] columns) => columns.Select((column, row) => column < 0 ? 0 : cost[row, column]).Sum();

    // Every way of giving each row a column of its own, or of leaving out as many rows as have to be.
    static double Cheapest(double[,] cost, int row, bool[] taken, int left)
    {
        if (row == cost.GetLength(0))
            return 0;
        var best = left > 0 ? Cheapest(cost, row + 1, taken, left - 1) : double.PositiveInfinity;
        for (var column = 0; column < taken.Length; column++)
        {
            if (taken[column])
                continue;
            taken[column] = true;
            best = Math.Min(best, cost[row, column] + Cheapest(cost, row + 1, taken, left));
            taken[column] = false;
        }
        return best;
    }

    static readonly Gen<double[,]> Costs = Gen.Select(Gen.Int[0, 5], Gen.Int[0, 6]).SelectMany((rows, columns) =>
        Gen.Double[-10, 10].Array[rows * columns].Select(numbers =>
        {
            var cost = new double[rows, columns];
            for (var i = 0; i < numbers.Length; i++)
                cost[i / columns, i % columns] = numbers[i];
            return cost;
        }));

    [Fact]
    public void No_other_pairing_is_cheaper() => Costs.Sample(cost =>
    {
        var (rows, columns) = (cost.GetLength(0), cost.GetLength(1));
        var assigned = Matching.Assign(cost);
        Assert.Equal(rows, assigned.Length);
        int[] used = [.. assigned.Where(column => column >= 0)];
        Assert.Equal(Math.Min(rows, columns), used.Length);
        Assert.Equal(used.Length, used.Distinct().Count());
        Assert.Equal(Cheapest(cost, 0, new bool[columns], Math.Max(0, rows - columns)), Sum(cost, assigned), 1e-9);
    }, iter: 2_000, threads: 1);

    [Fact]
    public void Taking_the_cheapest_first_is_not_the_cheapest()
    {
        // Whoever takes the 1 pays 9 and 9 for the others.
        var cost = new double[,] { { 1, 2, 8 }, { 2, 9, 9 }, { 9, 9, 3 } };
        Assert.Equal([1, 0, 2], Matching.Assign(cost));
    }

    [Fact]
    public void Two_hundred_rows_are_assigned_as_their_permutation_says()
    {
        // The cheapest pairs lie on a permutation, under prices of rows and columns that hide it.
        var random = new Random(18);
        var permutation = Enumerable.Range(0, 200).ToArray();
        random.Shuffle(permutation);
        var (ofRow, ofColumn) = (Prices(), Prices());
        var cost = new double[200, 200];
        for (var row = 0; row < 200; row++)
            for (var column = 0; column < 200; column++)
                cost[row, column] = ofRow[row] + ofColumn[column] + (permutation[row] == column ? 0 : 0.01 + random.NextDouble());
        Assert.Equal(permutation, Matching.Assign(cost));

        double[] Prices() => [.. Enumerable.Range(0, 200).Select(_ => 100 * random.NextDouble())];
    }

    [Fact]
    public void A_cost_that_is_no_number_is_refused()
    {
        Assert.Contains("row 1 and column 0 is NaN", Assert.Throws<ArgumentException>("cost", () => Matching.Assign(new[,] { { 1.0, 2 }, { double.NaN, 1 } })).Message);
        Assert.Throws<ArgumentNullException>("cost", () => Matching.Assign(null!));
    }
}
