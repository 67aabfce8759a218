using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Fashion-MNIST: clothes in ten classes, 28 × 28, grey; 60,000 to train on and 10,000 to test with (arXiv:1708.07747).</summary>
public static class FashionMnist
{
    /// <summary>The ten classes, in the order of their labels.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Mean and standard deviation of the training set's pixels.</summary>
    public static Normalization Normalization { get; } = new([0.2860f], [0.3530f]);

    /// <summary>Reads one part, after checking its files against the folder's <c>SHA256SUMS</c>.</summary>
    /// <param name="split">Which part.</param>
    /// <param name="folder">The folder with the four files.</param>
    /// <returns>Images uint8 [N, 1, 28, 28], labels int64 [N].</returns>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is not what its checksum says, or no Fashion-MNIST.</exception>
    public static ImageSet Load(Split split, string folder)
    {
        var prefix = split == Split.Train ? "train" : "t10k";
        var sums = Checksums(Path.Combine(folder, "SHA256SUMS"));

        using var scope = NewDisposeScope();
        var images = Read($"{prefix}-images-idx3-ubyte.gz", 3);
        var labels = Read($"{prefix}-labels-idx1-ubyte.gz", 1);
        if (images.shape is not [var count, 28, 28])
            throw InvalidFile.Because(folder, $"images of shape {Shape.Of(images)}", "[N, 28, 28]");
        if (labels.shape[0] != count)
            throw InvalidFile.Because(folder, $"{labels.shape[0]} labels", $"{count}, one for each image");
        if (labels.max().item<byte>() is var highest && highest >= ClassNames.Count)
            throw InvalidFile.Because(folder, $"label {highest}", $"0 to {ClassNames.Count - 1}");
        return new(images.unsqueeze(1).MoveToOuterDisposeScope(), labels.to(ScalarType.Int64).MoveToOuterDisposeScope(), ClassNames, Normalization);

        Tensor Read(string name, int dimensions)
        {
            var path = Path.Combine(folder, name);
            using var file = InvalidFile.Open(path);
            var expected = sums.GetValueOrDefault(name) ?? throw InvalidFile.Because(Path.Combine(folder, "SHA256SUMS"), "no line", $"one for {name}");
            var found = Convert.ToHexStringLower(SHA256.HashData(file));
            if (found != expected)
                throw InvalidFile.Because(path, $"SHA-256 {found}", expected);
            file.Position = 0;
            return IdxFile.Read(file, path, dimensions);
        }
    }

    static Dictionary<string, string> Checksums(string path)
    {
        using var reader = new StreamReader(InvalidFile.Open(path));
        var sums = new Dictionary<string, string>();
        while (reader.ReadLine() is { } line)
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [{ Length: 64 } sum, var name])
                sums[name.TrimStart('*')] = sum.ToLowerInvariant();
        return sums;
    }
}
