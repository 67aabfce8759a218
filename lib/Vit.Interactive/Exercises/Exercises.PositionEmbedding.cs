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

    /// <summary>1-D positions moved on, without knowing which they are.</summary>
    /// <param name="move">From rows of the table [n, D] and k to the rows k steps further.</param>
    public static string Move(Func<Tensor, int, Tensor> move)
    {
        using var scope = NewDisposeScope();
        var table = PositionEmbedding.SinCos1D(60, 32);
        Tensor At(int steps) => table[tensor(new long[] { 3, 8, 17, 40 }) + steps];
        var yours = move(At(0), 5);
        if (!yours.shape.SequenceEqual([4, 32]))
            return $"Not yet: the shape is {Shape.Of(yours)}, it should stay [n, D].";
        bool Reaches(int k, int steps) => Same(move(At(0), k), At(steps), 1e-4);
        if (Reaches(5, 5) && Reaches(12, 12))
            return "Right: a move by k is one linear map, the same for all positions.";
        if (Reaches(5, 0))
            return "Not yet: the positions have not moved.";
        return Reaches(2, -2)
            ? "Not yet: that moves backwards. Look at the two signs."
            : "Not yet: reshape to [n, D / 2, 2]; [.., .., 0] are the sines, [.., .., 1] the cosines. Hand i turns by k · ω_i, with ω_i for D = vectors.shape[1].";
    }
}
