namespace Vit.Detection;

/// <summary>Pairs rows with columns so that the sum of the pairs' costs is the smallest there is.</summary>
public static class Matching
{
    /// <summary>
    /// The Hungarian algorithm (Kuhn 1955, doi:10.1002/nav.3800020109), with potentials: one row after the other is added by the
    /// cheapest path that reassigns those before it. It takes time of rows · rows · columns, rows being the fewer.
    /// </summary>
    /// <param name="cost">[rows, columns]; every number is finite.</param>
    /// <returns>For each row its column; -1 for a row that is left over, where there are more rows than columns.</returns>
    /// <exception cref="ArgumentException">A cost is infinite or not a number.</exception>
    public static int[] Assign(double[,] cost)
    {
        ArgumentNullException.ThrowIfNull(cost);
        var (rows, columns) = (cost.GetLength(0), cost.GetLength(1));
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                if (!double.IsFinite(cost[row, column]))
                    throw new ArgumentException($"Every cost is a finite number, but that of row {row} and column {column} is {cost[row, column]}.", nameof(cost));
        if (rows <= columns)
            return EachRow(rows, columns, (row, column) => cost[row, column]);
        var assigned = new int[rows];
        Array.Fill(assigned, -1);
        var of = EachRow(columns, rows, (column, row) => cost[row, column]);
        for (var column = 0; column < columns; column++)
            assigned[of[column]] = column;
        return assigned;
    }

    /// <summary>Rows are not more than columns. Row and column 0 of the arrays are no real ones: there a new row starts.</summary>
    static int[] EachRow(int rows, int columns, Func<int, int, double> cost)
    {
        // What a row and a column pay together is at most their cost, and exactly that where they are paired.
        var (rowPays, columnPays) = (new double[rows + 1], new double[columns + 1]);
        var rowOf = new int[columns + 1];
        for (var added = 1; added <= rows; added++)
        {
            var (cheapest, before) = (new double[columns + 1], new int[columns + 1]);
            Array.Fill(cheapest, double.PositiveInfinity);
            var reached = new bool[columns + 1];
            var at = 0;
            for (rowOf[0] = added; rowOf[at] != 0;)
            {
                reached[at] = true;
                var (row, next, step) = (rowOf[at], 0, double.PositiveInfinity);
                for (var column = 1; column <= columns; column++)
                {
                    if (reached[column])
                        continue;
                    var more = cost(row - 1, column - 1) - rowPays[row] - columnPays[column];
                    if (more < cheapest[column])
                        (cheapest[column], before[column]) = (more, at);
                    if (cheapest[column] < step)
                        (step, next) = (cheapest[column], column);
                }
                for (var column = 0; column <= columns; column++)
                    if (reached[column])
                        (rowPays[rowOf[column]], columnPays[column]) = (rowPays[rowOf[column]] + step, columnPays[column] - step);
                    else
                        cheapest[column] -= step;
                at = next;
            }
            // Back along the path: each column takes over the row of the one before.
            for (; at != 0; at = before[at])
                rowOf[at] = rowOf[before[at]];
        }
        var assigned = new int[rows];
        for (var column = 1; column <= columns; column++)
            if (rowOf[column] != 0)
                assigned[rowOf[column] - 1] = column - 1;
        return assigned;
    }
}
