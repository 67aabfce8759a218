using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class Cifar10Tests
{
    const int Record = 1 + 3 * 32 * 32;
    const string Meta = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";

    static byte[] Records(int count, int seed = 1)
    {
        var content = new byte[count * Record];
        new Random(seed).NextBytes(content);
        for (var i = 0; i < count; i++)
            content[i * Record] = (byte)(i % 10);
        return content;
    }

    static TemporaryFolder Folder(byte[] test, string meta = Meta)
    {
        var folder = new TemporaryFolder();
        folder.Write("test_batch.bin", test);
        File.WriteAllText(folder["batches.meta.txt"], meta);
        return folder;
    }

    static string Refused(byte[] test, string meta = Meta)
    {
        using var folder = Folder(test, meta);
        return Assert.Throws<InvalidDataException>(() => Cifar10.Load(Split.Test, folder.FullName)).Message.Replace(folder.FullName, "");
    }

    [Fact]
    public void The_test_part_is_read_plane_by_plane()
    {
        using var scope = NewDisposeScope();
        var content = Records(10_000);
        using var folder = Folder(content, Meta.Replace("\n", "\r\n"));
        var set = Cifar10.Load(Split.Test, folder.FullName);
        Assert.Equal([10_000L, 3, 32, 32], set.Images.shape);
        Assert.Equal(uint8, set.Images.dtype);
        Assert.Equal([5L, 6, 7], set.Labels[5..8].data<long>());
        Assert.Equal("truck", set.ClassNames[9]);
        // Image 7, blue, row 3, column 9.
        Assert.Equal(content[7 * Record + 1 + 2 * 1024 + 3 * 32 + 9], set.Images[7, 2, 3, 9].item<byte>());
        Assert.Equal(content[1..Record], set.Images[0].flatten().data<byte>());
    }

    [Fact]
    public void The_training_part_is_five_files_in_order()
    {
        using var scope = NewDisposeScope();
        using var folder = Folder([]);
        for (var i = 1; i <= 5; i++)
        {
            var content = Records(10_000, i);
            Array.Fill(content, (byte)(10 * i), 1, Record - 1);
            folder.Write($"data_batch_{i}.bin", content);
        }
        var set = Cifar10.Load(Split.Train, folder.FullName);
        Assert.Equal([50_000L, 3, 32, 32], set.Images.shape);
        for (var i = 1; i <= 5; i++)
            Assert.Equal(10 * i, set.Images[10_000 * (i - 1), 1, 31, 0].item<byte>());

        File.Delete(folder["data_batch_4.bin"]);
        var missing = Assert.Throws<FileNotFoundException>(() => Cifar10.Load(Split.Train, folder.FullName));
        Assert.Equal(folder["data_batch_4.bin"], missing.FileName);
        Assert.Contains("https://www.cs.toronto.edu/~kriz/cifar.html", missing.Message);
    }

    [Fact]
    public void What_is_not_there_is_told_where_to_get()
    {
        using var folder = new TemporaryFolder();
        var missing = Assert.Throws<FileNotFoundException>(() => Cifar10.Load(Split.Test, folder["cifar-10-batches-bin"]));
        Assert.Contains("binary version", missing.Message);
        Assert.Equal(Path.Combine(folder["cifar-10-batches-bin"], "batches.meta.txt"), missing.FileName);
    }

    [Fact]
    public void Foreign_and_damaged_files_are_refused()
    {
        var whole = Records(10_000);
        Assert.Contains("test_batch.bin: found 30729999 bytes, expected 30730000, which are 10000 records", Refused(whole[..^1]));
        Assert.Contains("test_batch.bin: found an empty file, or none but a pipe or a device, expected", Refused([]));
        // CIFAR-100's records have two labels.
        Assert.Contains("found 30740000 bytes", Refused([.. whole, .. new byte[10_000]]));
        whole[42 * Record] = 10;
        Assert.Contains("test_batch.bin: found label 10 in record 42, expected 0 to 9", Refused(whole));
        whole[42 * Record] = 3;
        Assert.Contains("found 1000, 1000, 999, 1001, 1000", Refused(whole));
        Assert.Contains("batches.meta.txt: found the classes airplane, bird, expected airplane, automobile", Refused(whole, "airplane\nbird\n"));
        Assert.Contains("batches.meta.txt: found an empty file, or none but a pipe or a device, expected", Refused(whole, ""));
        Assert.Contains("batches.meta.txt: found the classes , expected", Refused(whole, "\n"));
        Assert.Contains("expected airplane", Refused(whole, Meta + "more\n"));
        Assert.InRange(Refused(whole, new string('x', 1 << 20)).Length, 10, 500);
    }

    [Fact]
    public void Mutated_files_see_only_the_documented_exception()
    {
        var random = new Random(1);
        var read = 0;
        for (var i = 0; i < 5_000; i++)
        {
            var content = Records(3, i);
            switch (random.Next(3))
            {
                case 0:
                    content = content[..random.Next(content.Length)];
                    break;
                case 1:
                    content[random.Next(3) * Record] = (byte)random.Next(256);
                    break;
                default:
                    content = [.. content, .. content[..random.Next(2)]];
                    break;
            }
            using var scope = NewDisposeScope();
            try
            {
                Cifar10.Read(new MemoryStream(content), "mutated", 3);
                read++;
            }
            catch (InvalidDataException error) when (error.Message.StartsWith("mutated: found ", StringComparison.Ordinal))
            {
            }
        }
        Assert.InRange(read, 500, 4_500);
    }
}
