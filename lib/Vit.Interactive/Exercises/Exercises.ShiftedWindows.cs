using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Which patches may see one another in a block whose windows are shifted down and right, told without rolling the grid.</summary>
    /// <param name="together">From two patches, the side of a window and the shift to whether they share a window that no border of the image cuts through.</param>
    public static string ShiftedWindows(Func<(int Row, int Column), (int Row, int Column), int, int, bool> together)
    {
        foreach (var (side, M, shift) in new[] { (8, 4, 2), (12, 4, 1), (9, 3, 2) })
        {
            (int Row, int Column)[] patches = [.. Enumerable.Range(0, side * side).Select(i => (i / side, i % side))];
            bool[] All(Func<(int Row, int Column), (int Row, int Column), bool> of) =>
                [.. patches.SelectMany(a => patches.Select(b => of(a, b)))];
            bool[] Both(Func<int, int> band) => All((a, b) => band(a.Row) == band(b.Row) && band(a.Column) == band(b.Column));
            int Band(int i) => (i - shift + M) / M;
            var yours = All((a, b) => together(a, b, M, shift));
            bool Is(bool[] other) => yours.SequenceEqual(other);
            if (Is(Both(Band)))
                continue;
            if (Is(Both(i => i / M)))
                return "Not yet: these are the windows before the shift.";
            if (Is(Both(i => (i - shift) / M)))
                return "Not yet: the first band is too wide. C# divides towards zero: (0 - 2) / 4 and (2 - 2) / 4 are both 0.";
            if (Is(Both(i => (i + shift) / M)))
                return "Not yet: your windows lie up and to the left. Where does the first whole window begin?";
            if (Is(Both(i => (i - shift + side) % side / M)))
                return "Not yet: the first patches and the last ones share your window. Rolling brings them together, the mask parts them.";
            if (Is(All((a, b) => Band(a.Row) == Band(b.Row))) || Is(All((a, b) => Band(a.Column) == Band(b.Column))))
                return "Not yet: rows and columns both have to agree.";
            if (!patches.All(a => together(a, a, M, shift)))
                return "Not yet: a patch always sees itself.";
            var wrong = Array.FindIndex(yours.Zip(Both(Band), (y, e) => y != e).ToArray(), differs => differs);
            var (first, second) = (patches[wrong / patches.Length], patches[wrong % patches.Length]);
            return $"Not yet: on {side} × {side} patches with M = {M} and a shift of {shift}, {first} and {second} "
                + $"{(yours[wrong] ? "do not see" : "see")} each other. Number the bands of rows, then those of columns.";
        }
        return "Right: a band of rows and a band of columns say it all. Rolling and mask are there to make one batch of it.";
    }

    /// <summary>The inverse of merging's rearrangement.</summary>
    /// <param name="unmerged">From [B, rows / 2, columns / 2, 4 · D], squares of 2 × 2 patches, down first, then right, to [B, rows, columns, D].</param>
    public static string Unmerged(Func<Tensor, Tensor> unmerged)
    {
        using var scope = NewDisposeScope();
        foreach (var (rows, columns, D) in new[] { (4, 4, 1), (4, 6, 3), (8, 2, 5) })
        {
            var grid = arange(2 * rows * columns * D).reshape(2, rows, columns, D);
            var squares = grid.reshape(2, rows / 2, 2, columns / 2, 2, D).permute(0, 1, 3, 4, 2, 5).flatten(3);
            var yours = unmerged(squares);
            if (!yours.shape.SequenceEqual(grid.shape))
                return WrongShape(yours, Shape.Of(grid));
            bool Is(Tensor other) => yours.eq(other).all().item<bool>();
            if (Is(grid))
                continue;
            if (Is(squares.reshape(grid.shape)))
                return "Not yet: the shape is right, but reshape alone leaves the numbers in the order of the squares.";
            if (Is(squares.reshape(2, rows / 2, columns / 2, 2, 2, D).permute(0, 1, 3, 2, 4, 5).reshape(grid.shape)))
                return "Not yet: right and down are swapped within each square. Which of the two comes first among the 4 · D numbers?";
            return "Not yet: the shape is right, the patches are not at their places. Which of six axes is which?";
        }
        return "Right: the same permutation, read backwards.";
    }
}
