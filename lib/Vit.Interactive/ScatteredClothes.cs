using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>Clothes of several sizes on a larger canvas, in front of one another and of clutter; their boxes are known to the pixel.</summary>
/// <remarks>
/// Each garment lies on the canvas whole. One that lies in front hides what is behind it, but of each at least half stays
/// visible; the box is that of the whole garment. Clutter lies behind all: bars, and squares cut out of other clothes.
/// </remarks>
public static class ScatteredClothes
{
    /// <summary>H and W, in pixels.</summary>
    public const int Side = 64;

    /// <summary>M, the largest number of clothes in a scene.</summary>
    public const int Most = 4;

    const int Garment = 28, Smallest = 16, Largest = 32, Attempts = 20;

    // What is darker belongs to the garment's dark surroundings in Fashion-MNIST.
    const int Visible = 25;

    // Fashion-MNIST's ten classes by kind: shirts, pullovers and coats are hardly told apart at this size.
    static readonly int[] KindOf = [0, 1, 0, 2, 0, 3, 0, 3, 4, 3];

    /// <summary>Five kinds, each as frequent as the others.</summary>
    public static IReadOnlyList<string> ClassNames { get; } = ["top", "trousers", "dress", "shoe", "bag"];

    /// <summary>Draws scenes.</summary>
    /// <param name="clothes">Fashion-MNIST's images, [N, 1, 28, 28], uint8, with its labels.</param>
    /// <param name="count">How many scenes.</param>
    /// <param name="seed">The same seed gives the same scenes on every machine.</param>
    /// <param name="least">The fewest clothes in a scene.</param>
    /// <param name="most">The largest number; where no room is found, there are fewer.</param>
    /// <param name="clutter">Whether there are bars and fragments behind the clothes.</param>
    /// <exception cref="ArgumentException">The images are no such clothes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">No scene is asked for, or the numbers of clothes are not in order from 1 to <see cref="Most"/>.</exception>
    public static Scenes Draw(ImageSet clothes, int count, int seed, int least = 1, int most = Most, bool clutter = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, Most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(least, most);
        MovingClothes.CheckClothes(clothes);
        var (pixels, labels) = (clothes.Images.contiguous().data<byte>().ToArray(), clothes.Labels.data<long>().ToArray());
        if (labels.FirstOrDefault(label => label < 0 || label >= KindOf.Length) is var odd and not 0)
            throw new ArgumentException($"Found a label {odd}, expected Fashion-MNIST's from 0 to {KindOf.Length - 1}.", nameof(clothes));
        int[][] kinds = [.. Enumerable.Range(0, labels.Length).GroupBy(i => KindOf[labels[i]]).OrderBy(kind => kind.Key).Select(kind => kind.ToArray())];

        var random = new Random(seed);
        var (canvases, found, boxes) = (new byte[count * Side * Side], new long[count * Most], new float[count * Most * 4]);
        Array.Fill(found, -1);
        for (var scene = 0; scene < count; scene++)
        {
            var canvas = canvases.AsSpan(scene * Side * Side, Side * Side);
            if (clutter)
                Clutter(canvas, pixels, labels.Length, random);
            var (owner, whole, seen) = (new int[Side * Side], new int[Most + 1], new int[Most + 1]);
            var wanted = random.Next(least, most + 1);
            for (var (attempt, placed) = (0, 0); placed < wanted && attempt < Attempts; attempt++)
            {
                var kind = kinds[random.Next(kinds.Length)];
                var which = kind[random.Next(kind.Length)];
                var size = random.Next(Smallest, Largest + 1);
                var garment = Resized(pixels.AsSpan(which * Garment * Garment, Garment * Garment), size, mirrored: random.Next(2) == 1);
                var (top, left) = (random.Next(Side - size + 1), random.Next(Side - size + 1));
                if (!Place(canvas, garment, size, top, left, owner, whole, seen, placed + 1, out var box))
                    continue;
                found[scene * Most + placed] = KindOf[labels[which]];
                box.CopyTo(boxes, (scene * Most + placed) * 4);
                placed++;
            }
        }
        return new(tensor(canvases, [count, 1, Side, Side]), tensor(found, [count, Most]), tensor(boxes, [count, Most, 4]));
    }

    /// <summary>Puts a garment in front, unless that would hide more than half of another.</summary>
    static bool Place(Span<byte> canvas, byte[] garment, int size, int top, int left, int[] owner, int[] whole, int[] seen, int number, out float[] box)
    {
        var hidden = new int[Most + 1];
        var (first, last) = ((Row: size, Column: size), (Row: -1, Column: -1));
        var area = 0;
        for (var i = 0; i < size * size; i++)
            if (garment[i] > Visible)
            {
                var (row, column) = (i / size, i % size);
                first = (Math.Min(first.Row, row), Math.Min(first.Column, column));
                last = (Math.Max(last.Row, row), Math.Max(last.Column, column));
                hidden[owner[(top + row) * Side + left + column]]++;
                area++;
            }
        box = [];
        if (area == 0 || Enumerable.Range(1, Most).Any(other => 2 * (seen[other] - hidden[other]) < whole[other]))
            return false;
        for (var i = 0; i < size * size; i++)
            if (garment[i] > Visible)
            {
                var at = (top + i / size) * Side + left + i % size;
                (canvas[at], owner[at]) = (garment[i], number);
            }
        for (var other = 1; other <= Most; other++)
            seen[other] -= hidden[other];
        whole[number] = seen[number] = area;
        var (height, width) = (last.Row - first.Row + 1, last.Column - first.Column + 1);
        box = [(left + first.Column + width / 2f) / Side, (top + first.Row + height / 2f) / Side, (float)width / Side, (float)height / Side];
        return true;
    }

    static void Clutter(Span<byte> canvas, byte[] pixels, int clothes, Random random)
    {
        for (var bars = random.Next(3); bars > 0; bars--)
        {
            var (length, thickness, grey) = (random.Next(10, 41), random.Next(1, 3), (byte)random.Next(60, 256));
            var (height, width) = random.Next(2) == 1 ? (length, thickness) : (thickness, length);
            var (top, left) = (random.Next(Side - height + 1), random.Next(Side - width + 1));
            for (var row = 0; row < height; row++)
                canvas.Slice((top + row) * Side + left, width).Fill(grey);
        }
        for (var fragments = random.Next(4); fragments > 0; fragments--)
        {
            var (size, which) = (random.Next(5, 10), random.Next(clothes));
            var (fromTop, fromLeft) = (random.Next(6, 23 - size), random.Next(6, 23 - size));
            var (top, left) = (random.Next(Side - size + 1), random.Next(Side - size + 1));
            for (var row = 0; row < size; row++)
                pixels.AsSpan(which * Garment * Garment + (fromTop + row) * Garment + fromLeft, size).CopyTo(canvas[((top + row) * Side + left)..]);
        }
    }

    /// <summary>Linear between the four nearest pixels.</summary>
    static byte[] Resized(ReadOnlySpan<byte> image, int size, bool mirrored)
    {
        var resized = new byte[size * size];
        for (var row = 0; row < size; row++)
            for (var column = 0; column < size; column++)
            {
                var (y, down) = Between(row);
                var (x, right) = Between(mirrored ? size - 1 - column : column);
                int At(ReadOnlySpan<byte> of, int line, int place) => of[Math.Min(line, Garment - 1) * Garment + Math.Min(place, Garment - 1)];
                var upper = At(image, y, x) * (1 - right) + At(image, y, x + 1) * right;
                var lower = At(image, y + 1, x) * (1 - right) + At(image, y + 1, x + 1) * right;
                resized[row * size + column] = (byte)Math.Round(upper * (1 - down) + lower * down);
            }
        return resized;

        (int At, double Part) Between(int place)
        {
            var exact = Math.Clamp((place + 0.5) * Garment / size - 0.5, 0, Garment - 1);
            return ((int)exact, exact - (int)exact);
        }
    }
}
