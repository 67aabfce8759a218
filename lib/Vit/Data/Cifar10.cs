using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// CIFAR-10: photographs in ten classes, 32 × 32, in colour; 50,000 to train on and 10,000 to test with (A. Krizhevsky,
/// "Learning multiple layers of features from tiny images", 2009). It does not come with this project: its binary form is
/// at <see cref="Home"/>.
/// </summary>
public static class Cifar10
{
    /// <summary>Where to get it.</summary>
    public const string Home = "https://www.cs.toronto.edu/~kriz/cifar.html";

    const int RecordsInFile = 10_000;
    const int PixelsInRecord = 3 * 32 * 32;

    /// <summary>The ten classes, in the order of their labels.</summary>
    public static IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Mean and standard deviation of the training set's channels.</summary>
    public static Normalization Normalization { get; } = new([0.4914f, 0.4822f, 0.4465f], [0.2470f, 0.2435f, 0.2616f]);

    /// <summary>Reads one part: <c>data_batch_1.bin</c> to <c>data_batch_5.bin</c>, or <c>test_batch.bin</c>.</summary>
    /// <param name="split">Which part.</param>
    /// <param name="folder">The folder with the files and <c>batches.meta.txt</c>, <c>cifar-10-batches-bin</c> in its archive.</param>
    /// <returns>Images uint8 [N, 3, 32, 32], labels int64 [N].</returns>
    /// <exception cref="FileNotFoundException">A file is missing; the message tells where to get it.</exception>
    /// <exception cref="InvalidDataException">A file is cut short, too long, or not CIFAR-10's.</exception>
    public static ImageSet Load(Split split, string folder)
    {
        CheckNames(Path.Combine(folder, "batches.meta.txt"));
        string[] files = split == Split.Train ? [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")] : ["test_batch.bin"];

        using var scope = NewDisposeScope();
        var parts = files.Select(name =>
        {
            var path = Path.Combine(folder, name);
            using var file = Open(path);
            return Read(file, path, RecordsInFile);
        }).ToArray();
        var images = cat([.. parts.Select(part => part.Images)]);
        var labels = cat([.. parts.Select(part => part.Labels)]);
        // Each class is in it equally often, so that another data set in the same form shows.
        var counts = labels.bincount(null, ClassNames.Count);
        if ((counts != labels.shape[0] / ClassNames.Count).any().item<bool>())
            throw InvalidFile.Because(folder, $"{string.Join(", ", counts.data<long>().ToArray())} images of the classes in {string.Join(", ", files)}", $"{labels.shape[0] / ClassNames.Count} of each");
        return new(images.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope(), ClassNames, Normalization);
    }

    /// <summary>Reads one file: for each image its label, a byte, then its rows of red, of green, and of blue.</summary>
    /// <param name="stream">The file's content; it must be seekable.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="records">How many images it must have.</param>
    internal static (Tensor Images, Tensor Labels) Read(Stream stream, string name, int records)
    {
        var expected = (long)records * (1 + PixelsInRecord);
        if (stream.Length != expected)
            throw InvalidFile.Because(name, $"{stream.Length} bytes", $"{expected}, which are {records} records of a label and 3 × 32 × 32 pixels");
        using var scope = NewDisposeScope();
        var content = empty([records, 1 + PixelsInRecord], ScalarType.Byte);
        stream.ReadExactly(content.bytes);
        var labels = content.select(1, 0).to(ScalarType.Int64);
        if (labels.max().item<long>() is var highest && highest >= ClassNames.Count)
            throw InvalidFile.Because(name, $"label {highest} in record {labels.argmax().item<long>()}", $"0 to {ClassNames.Count - 1}");
        return (content.narrow(1, 1, PixelsInRecord).reshape(records, 3, 32, 32).MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope());
    }

    static void CheckNames(string path)
    {
        using var reader = new StreamReader(Open(path));
        var names = new List<string>();
        // Bounded, since the file may be any.
        while (names.Count <= ClassNames.Count && reader.ReadLine() is { } line)
            if (line.Trim() is { Length: > 0 } name)
                names.Add(name.Length > 20 ? name[..20] + "…" : name);
        if (!names.SequenceEqual(ClassNames))
            throw InvalidFile.Because(path, $"the classes {string.Join(", ", names)}", string.Join(", ", ClassNames));
    }

    static FileStream Open(string path) =>
        InvalidFile.Open(path, $"CIFAR-10 is at {Home}: get its binary version and unpack it.");
}
