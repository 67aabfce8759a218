using System.Runtime.InteropServices;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>The place of a noisy position.</summary>
    /// <param name="locate">From a table [N, D], the number of columns and a vector [D] to row and column.</param>
    public static string Locate(Func<Tensor, int, Tensor, (long Row, long Column)> locate)
    {
        const int rows = 5, columns = 9;
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var table = PositionEmbedding.SinCos2D(rows, columns, 64);
        var found = Enumerable.Range(0, rows * columns)
            .Select(i => locate(table, columns, table[i] + 0.1 * randn([64], generator: generator))).ToArray();
        int Found(Func<int, (long, long)> place) => found.Where((f, i) => f == place(i)).Count();
        var right = Found(i => (i / columns, i % columns));
        if (right == found.Length)
            return $"Right: all {right} places found.";
        if (Found(i => (i % columns, i / columns)) > right)
            return "Not yet: row and column are exchanged.";
        return Found(i => (i / rows, i % rows)) > right
            ? "Not yet: a row of the grid has as many places as there are columns."
            : $"Not yet: {right} of {found.Length} are right." + (right > 1 ? " Which row of the table is nearest to the vector?" : "");
    }

    /// <summary>Positions learned in two parts.</summary>
    /// <param name="factorised">From [rows, D / 2] and [columns, D / 2] to [rows · columns, D], the column's half first.</param>
    public static string Factorised(Func<Tensor, Tensor, Tensor> factorised)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var (rows, columns) = (randn([3, 4], generator: generator), randn([5, 4], generator: generator));
        Tensor yours;
        try
        {
            yours = factorised(rows, columns);
        }
        catch (ExternalException)
        {
            return "Not yet: tables of 3 rows and of 5 columns cannot be joined as they are.";
        }
        if (!yours.shape.SequenceEqual([15, 8]))
            return WrongShape(yours, "[3 · 5, 8]");
        var (ofRow, ofColumn) = (rows.repeat_interleave(5, 0), columns.repeat(3, 1));    // [15, 4] each
        if (Same(yours, cat([ofColumn, ofRow], 1)))
            return "Right: 8 vectors make 15 positions, and neighbours share half of theirs.";
        return Same(yours, cat([ofRow, ofColumn], 1))
            ? "Not yet: the column's half comes first."
            : "Not yet: place i has the row i / 5 and the column i % 5. repeat_interleave and repeat, as in SinCos2D, give both.";
    }
}
