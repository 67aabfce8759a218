using System.Security.Cryptography;
using Vit.Data;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class FashionMnistTests
{
    [Theory]
    [InlineData(Split.Train, 60_000, new long[] { 9, 0, 0, 3, 0 })]
    [InlineData(Split.Test, 10_000, new long[] { 9, 2, 1, 1, 6 })]
    public void Both_parts_hold_every_class_equally_often(Split split, int count, long[] firstLabels)
    {
        using var scope = NewDisposeScope();
        var set = FashionMnist.Load(split, DataFolder.PathTo("fashion-mnist"));

        Assert.Equal([count, 1, 28, 28], set.Images.shape);
        Assert.Equal(ScalarType.Byte, set.Images.dtype);
        Assert.Equal(Enumerable.Repeat(count / 10L, 10), set.Labels.bincount(null).data<long>());
        Assert.Equal(firstLabels, set.Labels[TensorIndex.Slice(0, 5)].data<long>());
        Assert.Equal("Ankle boot", set.ClassNames[9]);
    }

    [Fact]
    public void The_normalization_is_that_of_the_training_set()
    {
        using var scope = NewDisposeScope();
        var normalized = FashionMnist.Normalization.Apply(FashionMnist.Load(Split.Train, DataFolder.PathTo("fashion-mnist")).Images.to(float32) / 255);
        Assert.Equal(0, normalized.mean().item<float>(), 3);
        Assert.Equal(1, normalized.std().item<float>(), 3);
    }

    [Fact]
    public void A_changed_file_is_named_with_both_checksums()
    {
        using var folder = Folder(Idx.File(new byte[2 * 784], 2, 28, 28), Idx.File([3, 4], 2));
        var path = Path.Combine(folder.FullName, "t10k-labels-idx1-ubyte.gz");
        var before = Sum(File.ReadAllBytes(path));
        File.WriteAllBytes(path, Idx.Zip(Idx.File([3, 5], 2)));

        var error = Assert.Throws<InvalidDataException>(() => FashionMnist.Load(Split.Test, folder.FullName));

        Assert.Equal($"{path}: found SHA-256 {Sum(File.ReadAllBytes(path))}, expected {before}.", error.Message);
    }

    [Fact]
    public void Files_that_do_not_fit_each_other_are_refused()
    {
        Assert.Equal([2L, 1, 28, 28], Loaded(Idx.File(new byte[2 * 784], 2, 28, 28), Idx.File([0, 9], 2)).Images.shape);
        Assert.Contains("found 3 labels, expected 2", Refused(Idx.File(new byte[2 * 784], 2, 28, 28), Idx.File([3, 4, 5], 3)));
        Assert.Contains("found label 10, expected 0 to 9", Refused(Idx.File(new byte[2 * 784], 2, 28, 28), Idx.File([3, 10], 2)));
        Assert.Contains("shape [2, 14, 56], expected [N, 28, 28]", Refused(Idx.File(new byte[2 * 784], 2, 14, 56), Idx.File([3, 4], 2)));

        static string Refused(byte[] images, byte[] labels) => Assert.Throws<InvalidDataException>(() => Loaded(images, labels)).Message;
    }

    [Theory]
    [InlineData("SHA256SUMS")]
    [InlineData("t10k-images-idx3-ubyte.gz")]
    public void A_missing_file_is_named(string name)
    {
        using var folder = Folder(Idx.File(new byte[784], 1, 28, 28), Idx.File([3], 1));
        File.Delete(Path.Combine(folder.FullName, name));
        var error = Assert.Throws<FileNotFoundException>(() => FashionMnist.Load(Split.Test, folder.FullName));
        Assert.Equal(Path.Combine(folder.FullName, name), error.FileName);
    }

    static ImageSet Loaded(byte[] images, byte[] labels)
    {
        using var folder = Folder(images, labels);
        return FashionMnist.Load(Split.Test, folder.FullName);
    }

    static TemporaryFolder Folder(byte[] images, byte[] labels)
    {
        var folder = new TemporaryFolder();
        (string Name, byte[] Content)[] files = [("t10k-images-idx3-ubyte.gz", Idx.Zip(images)), ("t10k-labels-idx1-ubyte.gz", Idx.Zip(labels))];
        foreach (var (name, content) in files)
            folder.Write(name, content);
        File.WriteAllLines(Path.Combine(folder.FullName, "SHA256SUMS"), files.Select(file => $"{Sum(file.Content)}  {file.Name}"));
        return folder;
    }

    static string Sum(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
