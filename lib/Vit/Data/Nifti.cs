using System.Buffers.Binary;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// A volume from a NIfTI-1 file (<c>.nii</c>, plain or gzip-compressed), its axes turned so that they run to the right, to the
/// front (anterior) and to the top (superior) of the body: RAS+.
/// </summary>
/// <remarks>
/// 348 bytes of header in either byte order, then the voxels, the first axis fastest (https://nifti.nimh.nih.gov/nifti-1/).
/// Where the file's axes are oblique to the body's, each becomes the body's axis that it is closest to; nothing is resampled.
/// </remarks>
public sealed class Nifti
{
    /// <summary>The most voxels that a file may announce: 1 GB as a tensor.</summary>
    public const long MaxVoxels = 1L << 28;

    const int HeaderBytes = 348, FirstVoxel = 352, Chunk = 1 << 14;

    delegate double Element(ReadOnlySpan<byte> bytes, bool big);

    static readonly Dictionary<int, (int Bytes, Element Read)> Types = new()
    {
        [2] = (1, (b, _) => b[0]),
        [256] = (1, (b, _) => (sbyte)b[0]),
        [4] = (2, (b, big) => big ? BinaryPrimitives.ReadInt16BigEndian(b) : BinaryPrimitives.ReadInt16LittleEndian(b)),
        [512] = (2, (b, big) => big ? BinaryPrimitives.ReadUInt16BigEndian(b) : BinaryPrimitives.ReadUInt16LittleEndian(b)),
        [8] = (4, (b, big) => big ? BinaryPrimitives.ReadInt32BigEndian(b) : BinaryPrimitives.ReadInt32LittleEndian(b)),
        [768] = (4, (b, big) => big ? BinaryPrimitives.ReadUInt32BigEndian(b) : BinaryPrimitives.ReadUInt32LittleEndian(b)),
        [16] = (4, (b, big) => big ? BinaryPrimitives.ReadSingleBigEndian(b) : BinaryPrimitives.ReadSingleLittleEndian(b)),
        [64] = (8, (b, big) => big ? BinaryPrimitives.ReadDoubleBigEndian(b) : BinaryPrimitives.ReadDoubleLittleEndian(b)),
    };

    static readonly Dictionary<int, string> Refused = new()
    {
        [1] = "single bits",
        [32] = "complex numbers",
        [128] = "RGB colours",
        [1024] = "64-bit integers",
        [1280] = "64-bit integers",
        [1536] = "128-bit numbers",
        [1792] = "complex numbers",
        [2048] = "complex numbers",
        [2304] = "RGBA colours",
    };

    Nifti(Tensor voxels, double[,] affine, string? storedAxes) => (Voxels, Affine, StoredAxes) = (voxels, affine, storedAxes);

    /// <summary>float32, [X, Y, Z] or [X, Y, Z, T]: from left to right, back to front, bottom to top; scaled as the file says.</summary>
    public Tensor Voxels { get; }

    /// <summary>4 × 4: from a voxel's indices (x, y, z, 1) to millimetres to the right, front and top of the file's origin.</summary>
    public double[,] Affine { get; }

    /// <summary>Where the axes ran in the file, such as "LAS" for to the left, front and top; null if it does not tell, and then nothing was turned.</summary>
    public string? StoredAxes { get; }

    /// <summary>A voxel's length along x, y and z, in mm.</summary>
    public IReadOnlyList<double> VoxelSize => [.. Enumerable.Range(0, 3).Select(column => Length(Affine, column))];

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file; whether it is compressed is read off its first bytes, not its name.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, cut short, too large or of another kind.</exception>
    /// <exception cref="NotSupportedException">It is NIfTI-2, the header of a pair of files, or has voxels that are not plain numbers of up to 64 bits.</exception>
    public static Nifti Read(string path)
    {
        using var file = InvalidFile.Open(path);
        return Read(file, path);
    }

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="stream">The file's content, from its first byte; it must be seekable.</param>
    /// <param name="name">What messages call the file.</param>
    public static Nifti Read(Stream stream, string name)
    {
        using var content = new MaybeGzip(stream, name);
        if (content.Length < FirstVoxel)
            throw InvalidFile.Because(name, $"{content.Length} bytes", $"a NIfTI-1 file of at least {FirstVoxel}");
        var header = new byte[HeaderBytes];
        content.Fill(header);
        var big = IsBigEndian(header, name);

        int Short(int at) => (int)Types[4].Read(header.AsSpan(at), big);
        double Float(int at) => Types[16].Read(header.AsSpan(at), big);

        var shape = Dimensions(Short, name);
        var voxels = shape.Aggregate(1L, (a, b) => a * b);
        var type = Short(70);
        if (!Types.TryGetValue(type, out var element))
            throw Refused.TryGetValue(type, out var what) ? new NotSupportedException($"{name}: found voxels of type {type} ({what}), expected plain numbers of at most 32 bits, or float64.")
                : InvalidFile.Because(name, $"voxels of type {type}", string.Join(", ", Types.Keys.Order()));
        if (Short(72) != 8 * element.Bytes)
            throw InvalidFile.Because(name, $"{Short(72)} bits for a voxel of type {type}", $"{8 * element.Bytes}");
        // A zero is as old programs write it.
        var offset = Float(108) is 0 ? FirstVoxel : Float(108);
        if (!(offset >= FirstVoxel && offset + voxels * element.Bytes <= content.Length) || offset != Math.Floor(offset))
            throw InvalidFile.Because(name, $"{voxels} voxels of {element.Bytes} bytes from byte {offset} in a file of {content.Length}", $"a whole offset of {FirstVoxel} or more, and room for all voxels");
        var (slope, intercept) = (Float(112), Float(116));
        if (slope is 0 || !double.IsFinite(slope))
            (slope, intercept) = (1, 0);
        else if (!double.IsFinite(intercept))
            throw InvalidFile.Because(name, $"a scale of {slope} with an offset of {intercept}", "a finite offset");
        var affine = Placed(Short, Float, name);

        using var scope = NewDisposeScope();
        Skip(content, (long)offset - HeaderBytes);
        var data = Voxel(content, voxels, element, big, slope, intercept).reshape([.. shape.Reverse()]).permute([.. Enumerable.Range(0, shape.Length).Reverse().Select(i => (long)i)]);
        if (affine is null)
            return new(data.contiguous().MoveToOuterDisposeScope(), Scaling(Float), null);
        var (turned, turnedAffine, axes) = Turned(data, affine, name);
        return new(turned.contiguous().MoveToOuterDisposeScope(), turnedAffine, axes);
    }

    static bool IsBigEndian(byte[] header, string name)
    {
        var (little, big) = (BinaryPrimitives.ReadInt32LittleEndian(header), BinaryPrimitives.ReadInt32BigEndian(header));
        if (little == 540 || big == 540)
            throw new NotSupportedException($"{name}: found a NIfTI-2 file, expected NIfTI-1.");
        if (little != HeaderBytes && big != HeaderBytes)
            throw InvalidFile.Because(name, $"a header of {little} bytes", $"{HeaderBytes}, as in a NIfTI-1 file");
        var magic = header.AsSpan(344);
        if (magic.SequenceEqual("ni1\0"u8))
            throw new NotSupportedException($"{name}: found the header of a pair of files (.hdr and .img), expected one file with both (.nii).");
        if (!magic.SequenceEqual("n+1\0"u8))
            throw InvalidFile.Because(name, $"the mark {Convert.ToHexString(magic)}", "6E2B3100 (\"n+1\")");
        return little != HeaderBytes;
    }

    static long[] Dimensions(Func<int, int> header, string name)
    {
        var count = header(40);
        if (count is < 3 or > 7)
            throw InvalidFile.Because(name, $"{count} dimensions", "3 or 4");
        long[] shape = [.. Enumerable.Range(1, count).Select(i => (long)header(40 + 2 * i))];
        for (var (i, voxels) = (0, 1L); i < count; voxels *= shape[i++])
            if (shape[i] < 1 || shape[i] > MaxVoxels / voxels || (i > 3 && shape[i] > 1))
                throw InvalidFile.Because(name, $"dimensions {Shape.Of(shape)}", $"3 or 4 of 1 or more each, at most {MaxVoxels} voxels in all");
        return shape[..Math.Min(4, count)];
    }

    static Tensor Voxel(MaybeGzip content, long voxels, (int Bytes, Element Read) element, bool big, double slope, double intercept)
    {
        var data = empty(voxels, ScalarType.Float32);
        var buffer = new byte[Math.Min(voxels, Chunk) * element.Bytes];
        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(data.bytes);
        for (var first = 0; first < values.Length; first += Chunk)
        {
            var part = values[first..Math.Min(values.Length, first + Chunk)];
            var bytes = buffer.AsSpan(0, part.Length * element.Bytes);
            content.Fill(bytes);
            for (var i = 0; i < part.Length; i++)
                part[i] = (float)(slope * element.Read(bytes[(i * element.Bytes)..], big) + intercept);
        }
        return data;
    }

    static void Skip(MaybeGzip content, long bytes)
    {
        Span<byte> buffer = stackalloc byte[1024];
        for (; bytes > 0; bytes -= buffer.Length)
            content.Fill(buffer[..(int)Math.Min(bytes, buffer.Length)]);
    }

    /// <summary>What the file says of the place of its voxels: the sform, else the qform, else nothing.</summary>
    static double[,]? Placed(Func<int, int> header, Func<int, double> number, string name)
    {
        var affine = new double[4, 4];
        affine[3, 3] = 1;
        if (header(254) > 0)
            for (var i = 0; i < 12; i++)
                affine[i / 4, i % 4] = number(280 + 4 * i);
        else if (header(252) > 0)
        {
            // The rotation of a unit quaternion, whose first number follows from the others.
            var (b, c, d) = (number(256), number(260), number(264));
            if (!(b * b + c * c + d * d <= 1.0001))
                throw InvalidFile.Because(name, $"the quaternion {b}, {c}, {d}", "one of length 1 at most");
            var a = Math.Sqrt(Math.Max(0, 1 - (b * b + c * c + d * d)));
            double[] rotation =
            [
                a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c),
                2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b),
                2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c,
            ];
            for (var i = 0; i < 9; i++)
                affine[i / 3, i % 3] = rotation[i] * number(80 + 4 * (i % 3)) * (i % 3 == 2 && number(76) < 0 ? -1 : 1);
            for (var row = 0; row < 3; row++)
                affine[row, 3] = number(268 + 4 * row);
        }
        else
            return null;
        return affine.Cast<double>().All(double.IsFinite) ? affine : throw InvalidFile.Because(name, "a place of the voxels that is not finite", "finite numbers");
    }

    static double[,] Scaling(Func<int, double> number)
    {
        var affine = new double[4, 4];
        for (var i = 0; i < 3; i++)
            affine[i, i] = Math.Abs(number(80 + 4 * i)) is > 0 and < double.PositiveInfinity and var size ? size : 1;
        affine[3, 3] = 1;
        return affine;
    }

    /// <summary>Permutes and flips the axes so that each runs along the body's axis that it is closest to.</summary>
    static (Tensor, double[,], string) Turned(Tensor voxels, double[,] affine, string name)
    {
        if (Enumerable.Range(0, 3).FirstOrDefault(column => Length(affine, column) == 0, -1) is var none and >= 0)
            throw InvalidFile.Because(name, $"an axis {none} without length", "three axes");
        double Along(int body, int stored) => affine[body, stored] / Length(affine, stored);
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        // For each of the body's axes the stored one.
        var order = orders.MaxBy(o => Enumerable.Range(0, 3).Sum(body => Math.Abs(Along(body, o[body]))))!;
        int[] backward = [.. Enumerable.Range(0, 3).Where(body => Along(body, order[body]) < 0)];

        var turned = new double[4, 4];
        for (var row = 0; row < 4; row++)
        {
            turned[row, 3] = affine[row, 3];
            for (var body = 0; body < 3; body++)
            {
                var step = affine[row, order[body]];
                turned[row, body] = backward.Contains(body) ? -step : step;
                if (backward.Contains(body))
                    turned[row, 3] += step * (voxels.shape[order[body]] - 1);
            }
        }
        var permuted = voxels.permute([.. order.Select(i => (long)i), .. Enumerable.Range(3, (int)voxels.dim() - 3).Select(i => (long)i)]);
        var axes = string.Concat(Enumerable.Range(0, 3).Select(stored => Array.IndexOf(order, stored)).Select(body => backward.Contains(body) ? "LPI"[body] : "RAS"[body]));
        return (backward.Length == 0 ? permuted : permuted.flip([.. backward.Select(i => (long)i)]), turned, axes);
    }

    static double Length(double[,] affine, int column) =>
        Math.Sqrt(Enumerable.Range(0, 3).Sum(row => affine[row, column] * affine[row, column]));
}
