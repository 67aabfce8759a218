using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Interactive;

/// <summary>Short films of clothes that move in one direction and may then turn; no single frame tells which way.</summary>
/// <remarks>
/// What leaves the canvas on one side comes in on the other, and a film begins anywhere. So in each frame by itself every place
/// is as likely in one class as in another. A film of one class that is played backwards is a film of another.
/// </remarks>
public static class MovingClothes
{
    /// <summary>F, the frames of a film.</summary>
    public const int Frames = 8;

    /// <summary>H and W, in pixels.</summary>
    public const int Side = 32;

    const int Garment = 14;

    // Clockwise, so that a turn is the next one or the one before.
    static readonly (string Name, int Down, int Right)[] Directions = [("right", 0, 1), ("down", 1, 0), ("left", 0, -1), ("up", -1, 0)];
    static readonly int[] Turns = [0, 1, -1];

    /// <summary>Twelve classes: four directions, and for each straight on, a turn clockwise and a turn counter-clockwise.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        [.. Enumerable.Range(0, 12).Select(Ways).Select(ways => ways.First == ways.Then ? Directions[ways.First].Name : $"{Directions[ways.First].Name} then {Directions[ways.Then].Name}")];

    /// <summary>The class of the film that is played backwards: it comes back from where it went.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public static int Backwards(int label)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(label);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(label, ClassNames.Count);
        var (first, then) = Ways(label);
        return Enumerable.Range(0, ClassNames.Count).First(other => Ways(other) == ((then + 2) % 4, (first + 2) % 4));
    }

    /// <summary>Makes films; each shows one garment, drawn at random.</summary>
    /// <param name="clothes">Grey images, [N, 1, 28, 28], uint8; they are shown at half the size.</param>
    /// <param name="count">How many films; their classes come in turn.</param>
    /// <param name="seed">The same seed gives the same films on every machine.</param>
    /// <param name="step">Pixels from one frame to the next, an even number.</param>
    /// <returns>Images [count, F, H, W], uint8: the frames stand where an image has its channels.</returns>
    /// <exception cref="ArgumentException">The images are no such clothes, no film is asked for, or the step is odd.</exception>
    public static ImageSet Films(ImageSet clothes, int count, int seed, int step = 2)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        CheckClothes(clothes);
        if (step % 2 != 0)
            throw new ArgumentException($"Found a step of {step} pixels, expected an even number: where a path turns, half of it goes each way.", nameof(step));
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var garment = randint(0, clothes.Count, [count], ScalarType.Int64, generator: generator);
        var start = randint(0, Side, [count, 2, 1], ScalarType.Int64, generator: generator);
        var labels = arange(count) % ClassNames.Count;
        var paths = tensor(Enumerable.Range(0, ClassNames.Count).SelectMany(label => Path(label, step)).ToArray(), [ClassNames.Count, 2, Frames]);
        var places = start + paths[labels];                                                            // [count, 2, F]

        const int Part = 500;                                                                          // at a time, for the memory
        var films = new List<Tensor>();
        for (var first = 0; first < count; first += Part)
        {
            using var part = NewDisposeScope();
            Tensor Some(Tensor all) => all.narrow(0, first, Math.Min(Part, count - first));
            films.Add(Moved(clothes.Images.index_select(0, Some(garment)), Some(places)).MoveToOuterDisposeScope());
        }
        return new(cat(films).MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope(), ClassNames);
    }

    internal static void CheckClothes(ImageSet clothes)
    {
        if (clothes.Images.dtype != ScalarType.Byte || clothes.Images.shape is not [> 0, 1, 28, 28])
            throw new ArgumentException($"Found {clothes.Images.dtype} {Shape.Of(clothes.Images)}, expected uint8 [N, 1, 28, 28].", nameof(clothes));
    }

    /// <summary>Images [n, 1, 28, 28] at places [n, 2, F], the row and the column of their corner → [n, F, H, W].</summary>
    static Tensor Moved(Tensor images, Tensor places)
    {
        var small = nn.functional.avg_pool2d(images.to(ScalarType.Float32), 2).round().to(ScalarType.Byte);
        const int Rest = Side - Garment;
        var still = nn.functional.pad(small, [0, Rest, 0, Rest]).expand(-1, Frames, -1, -1);
        Tensor From(int axis) => (arange(Side) - places.select(1, axis).unsqueeze(-1)).remainder(Side); // [n, F, Side]
        var rows = From(0).unsqueeze(-1).expand(-1, -1, -1, Side);
        var columns = From(1).unsqueeze(-2).expand(-1, -1, Side, -1);
        return still.gather(2, rows).gather(3, columns);
    }

    static (int First, int Then) Ways(int label) => (label / 3, (label / 3 + Turns[label % 3] + 4) % 4);

    /// <summary>How far down each frame is, then how far to the right. Of the seven steps the middle one goes half each way.</summary>
    static long[] Path(int label, int step)
    {
        var (first, then) = (Directions[Ways(label).First], Directions[Ways(label).Then]);
        long Along(int frame, int before, int after) => step / 2 * (before * Math.Min(2 * frame, Frames - 1) + after * Math.Max(2 * frame - Frames + 1, 0));
        return
        [
            .. Enumerable.Range(0, Frames).Select(frame => Along(frame, first.Down, then.Down)),
            .. Enumerable.Range(0, Frames).Select(frame => Along(frame, first.Right, then.Right)),
        ];
    }
}
