using System.Runtime.InteropServices;
using Vit.Data;
using Vit.Interactive;
using Vit.Tests.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class ImageFolderTests
{
    static TemporaryFolder Folder(params (string Name, byte[] Content)[] files)
    {
        var folder = new TemporaryFolder();
        foreach (var (name, content) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
            folder.Write(name, content);
        }
        return folder;
    }

    static string In(params string[] parts) => Path.Combine(parts);

    // A picture of one colour, red being its number.
    static byte[] Plain(int number, int width = 8, int height = 8, bool jpeg = false)
    {
        using var scope = NewDisposeScope();
        var image = zeros(3, height, width);
        image[0].fill_(number / 255f);
        return Picture.Encode(image, jpeg ? PictureFormat.Jpeg : PictureFormat.Png);
    }

    static long[] All(IImageSource source) => [.. Enumerable.Range(0, source.Count).Select(i => (long)i)];

    static int[] Numbers(IImageSource source)
    {
        using var scope = NewDisposeScope();
        return source.Read(All(source)).Images[.., 0, 0, 0].mul(255).round().to(int32).data<int>().ToArray();
    }

    [Fact]
    public void Classes_and_pictures_are_in_the_order_of_their_names_code_units()
    {
        using var folder = Folder(
            (In("b", "2.png"), Plain(5)), (In("b", "10.png"), Plain(4)), (In("Z", "a.png"), Plain(3)), (In("Z", "B.png"), Plain(2)),
            (In("ä", "x.png"), Plain(6)), (In("a b", "no extension"), Plain(0)), (In("a b", ".hidden"), [1]), (In(".git", "x"), [1]), ("README.md", [1]));
        var set = ImageFolder.Scan(folder.FullName, Preprocessing.Square(4));
        using var scope = NewDisposeScope();
        var (images, labels) = set.Read(All(set));

        Assert.Equal(["Z", "a b", "b", "ä"], set.ClassNames);
        Assert.Equal([2, 3, 0, 4, 5, 6], Numbers(set));
        Assert.Equal([0, 0, 1, 2, 2, 3], labels.data<long>());
        Assert.Equal([0, 0, 1, 2, 2, 3], set.Labels);
        Assert.Equal(In(folder.FullName, "b", "10.png"), set.Paths[3]);
        Assert.Equal([6, 3, 4, 4], images.shape);
        Assert.Equal(float32, images.dtype);
        Assert.Empty(set.Unreadable);
        Assert.Equal([1, 1, 4, 4], ImageFolder.Scan(folder.FullName, Preprocessing.Square(4) with { Channels = 1 }).Read([0]).Images.shape);
    }

    [Fact]
    public void Any_positions_come_in_their_order() =>
        Gen.Int[0, 4].Array[1, 20].Sample(positions =>
        {
            using var scope = NewDisposeScope();
            var (images, labels) = Five.Read([.. positions.Select(i => (long)i)]);
            Assert.Equal(positions.Select(i => i * 50f), images[.., 0, 1, 1].mul(255).round().data<float>());
            Assert.Equal(positions.Select(i => (long)(i / 3)), labels.data<long>());
        }, iter: 50);

    static readonly TemporaryFolder FiveFiles = Folder([.. Enumerable.Range(0, 5).Select(i => (In(i < 3 ? "a" : "b", $"{i}.png"), Plain(i * 50)))]);
    static readonly ImageFolder Five = ImageFolder.Scan(FiveFiles.FullName, Preprocessing.Square(5));

    [Theory]
    [InlineData("astronaut.png", 3)]
    [InlineData("rocket.jpg", 3)]
    [InlineData("retina.jpg", 1)]
    public void A_folder_shows_what_a_model_is_shown_bit_for_bit(string name, int channels)
    {
        using var scope = NewDisposeScope();
        using var folder = Folder((In("a", name), File.ReadAllBytes(DataFolder.PathTo("photos", name))));
        var preprocessing = new Preprocessing { Height = 96, Width = 64, Channels = channels, Crop = 0.9, Normalization = Normalization.Half };
        var set = ImageFolder.Scan(folder.FullName, preprocessing);
        SameBits.Assert(preprocessing.Load(set.Paths[0]), preprocessing.Normalization.Apply(set.Read([0]).Images));
    }

    [Fact]
    public void A_random_crop_is_taken_from_the_picture_as_it_is_stored()
    {
        using var scope = NewDisposeScope();
        // Stripes of one pixel, which are gone in a picture of 8 × 8.
        var fine = arange(64).remainder(2).to(float32).expand(3, 64, 64);
        using var folder = Folder((In("a", "1.png"), Picture.Encode(fine)));
        var set = ImageFolder.Scan(folder.FullName, Preprocessing.Square(8) with { Interpolation = Interpolation.Bilinear });
        Assert.InRange(set.Read([0]).Images.std().item<float>(), 0, 0.02);
        var (seen, _) = set.Read([0], (image, height, width) =>
        {
            Assert.Equal((0, 64, 64), (image, height, width));
            return (20, 30, 8, 8);
        });
        Close.Equal(fine[.., 20..28, 30..38].unsqueeze(0), seen);
    }

    [Fact]
    public void Unreadable_files_are_fatal_or_listed()
    {
        using var folder = Folder(
            (In("a", "1.png"), Plain(1)), (In("a", "2.png"), []), (In("a", "3.txt"), "no picture"u8.ToArray()), (In("b", "4.png"), Plain(4)),
            // Its beginning is whole: this shows only when it is decoded.
            (In("b", "5.png"), Plain(5, 64, 64)[..^40]));
        Assert.StartsWith(folder[In("a", "2.png")], Assert.Throws<InvalidDataException>(() => ImageFolder.Scan(folder.FullName, Preprocessing.Square(4))).Message);

        var set = ImageFolder.Scan(folder.FullName, Preprocessing.Square(4), skipUnreadable: true);
        Assert.Equal([folder[In("a", "2.png")], folder[In("a", "3.txt")]], set.Unreadable.Keys.Order());
        Assert.Contains("an empty file", set.Unreadable[folder[In("a", "2.png")]]);
        Assert.Contains("of another kind", set.Unreadable[folder[In("a", "3.txt")]]);
        Assert.Equal(3, set.Count);
        Assert.Equal([1, 4], Numbers(set));
        Assert.Equal([0, 1], set.Read([0, 1, 2]).Labels.data<long>());
        Assert.Contains("bytes of a PNG", set.Unreadable[folder[In("b", "5.png")]]);
        Assert.Equal([0, 3, 4, 4], set.Read([2, 2]).Images.shape);

        File.Delete(folder[In("a", "2.png")]);
        File.Delete(folder[In("a", "3.txt")]);
        var strict = ImageFolder.Scan(folder.FullName, Preprocessing.Square(4));
        Assert.StartsWith(folder[In("b", "5.png")], Assert.Throws<InvalidDataException>(() => strict.Read([0, 2, 1])).Message);
        File.Delete(folder[In("a", "1.png")]);
        Assert.Equal(folder[In("a", "1.png")], Assert.Throws<FileNotFoundException>(() => strict.Read([0])).FileName);
        Assert.Equal([1], set.Read([0, 1]).Labels.data<long>());
        Assert.Contains("no such file", set.Unreadable[folder[In("a", "1.png")]]);
    }

    [Fact]
    public void A_pipe_in_a_class_folder_is_refused_or_skipped_and_never_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no pipes with a path here");
        using var folder = Folder((In("a", "1.png"), Plain(1)));
        Assert.Equal(0, MakePipe(folder[In("a", "2.png")], 0b110_000_000));
        File.CreateSymbolicLink(folder[In("a", "3.png")], folder[In("a", "2.png")]);
        Assert.Contains("2.png: found an empty file, or none but a pipe or a device", Assert.Throws<InvalidDataException>(() => ImageFolder.Scan(folder.FullName, Preprocessing.Square(4))).Message);
        var set = ImageFolder.Scan(folder.FullName, Preprocessing.Square(4), skipUnreadable: true);
        Assert.Equal(1, set.Count);
        Assert.Equal([folder[In("a", "2.png")], folder[In("a", "3.png")]], set.Unreadable.Keys.Order());
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    static extern int MakePipe(string path, uint mode);

    [Fact]
    public void A_link_to_nowhere_is_skipped_as_a_damaged_picture_is()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links take a right here that not every user has");
        using var folder = Folder((In("a", "1.png"), Plain(1)));
        File.CreateSymbolicLink(folder[In("a", "2.png")], folder["nowhere"]);
        Assert.Throws<FileNotFoundException>(() => ImageFolder.Scan(folder.FullName, Preprocessing.Square(4)));
        var set = ImageFolder.Scan(folder.FullName, Preprocessing.Square(4), skipUnreadable: true);
        Assert.Equal(1, set.Count);
        Assert.Contains(folder[In("a", "2.png")], set.Unreadable.Keys);
    }

    [Fact]
    public void A_batch_may_have_more_bytes_than_a_span()
    {
        using var folder = Folder((In("a", "1.png"), Plain(1)), (In("a", "2.png"), Plain(2, 64, 64)[..^40]));
        // Memory that is only asked for, all but a picture of it: the others are damaged.
        var (images, labels) = ImageFolder.Scan(folder.FullName, Preprocessing.Square(4096), skipUnreadable: true).Read([0, .. Enumerable.Repeat(1L, 10)]);
        using (images)
        using (labels)
            Assert.Equal([1, 3, 4096, 4096], images.shape);
    }

    [Fact]
    public void Pictures_are_read_past_the_collector()
    {
        var path = DataFolder.PathTo("photos", "retina.jpg");
        Picture.Load(path).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Picture.Load(path).Dispose();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, new FileInfo(path).Length / 2);
    }

    [Fact]
    public void A_folder_that_is_none_of_classes_is_refused()
    {
        using var folder = Folder(("1.png", Plain(1)));
        string Refused(bool skip = false) => Assert.Throws<InvalidDataException>(() => ImageFolder.Scan(folder.FullName, Preprocessing.Square(4), skipUnreadable: skip)).Message;

        Assert.Equal($"{folder.FullName}: found no folders (1 files), expected one folder a class, with the class's pictures in it.", Refused());
        Directory.CreateDirectory(folder["b"]);
        Assert.Equal($"{folder["b"]}: found no files, expected at least one picture.", Refused());
        folder.Write(In("b", "x"), [1]);
        Assert.Contains($"{folder["b"]}: found no readable pictures", Refused(skip: true));
        Directory.CreateDirectory(folder[In("b", "cats")]);
        Assert.Contains($"{folder["b"]}: found 1 folders, cats for one, expected pictures alone", Refused());
        Assert.Contains("nowhere", Assert.Throws<DirectoryNotFoundException>(() => ImageFolder.Scan(folder["nowhere"], Preprocessing.Square(4))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageFolder.Scan(folder.FullName, Preprocessing.Square(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Five.Read([5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Five.Select([-1]));
    }

    [Fact]
    public void Set_aside_parts_the_pictures()
    {
        var (remaining, aside) = Five.RandomSplit(2, seed: 3);
        Assert.Equal((3, 2), (remaining.Count, aside.Count));
        Assert.Equal(Numbers(Five), Numbers(remaining).Concat(Numbers(aside)).Order());
        Assert.Equal(aside.Paths, Five.RandomSplit(2, seed: 3).Aside.Paths);
        Assert.Equal(["a", "b"], aside.ClassNames);
        Assert.Throws<ArgumentOutOfRangeException>(() => Five.RandomSplit(5, seed: 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Five.RandomSplit(0, seed: 3));
    }

    // Each of EXIF's eight, as PIL turns them; the picture has a bright corner.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Pictures_are_the_right_way_up(int orientation)
    {
        using var scope = NewDisposeScope();
        var image = zeros(3, 32, 48);
        image[.., ..16, 8..20] = 1;
        using var folder = Folder((In("a", "1.jpg"), Exif.WithOrientation(Picture.Encode(image, PictureFormat.Jpeg, 95), PictureFormat.Jpeg, orientation)));
        var set = ImageFolder.Scan(folder.FullName, Preprocessing.Square(32));
        Close.Equal(Picture.CenterCrop(Picture.Load(set.Paths[0]), 32), set.Read([0]).Images[0], 0.02);
    }

    [Fact]
    public void Damaged_pictures_see_only_the_documented_exception()
    {
        using var scope = NewDisposeScope();
        var photo = Picture.Resize(Picture.Load(DataFolder.PathTo("photos", "cat.png")), 40, 50);
        byte[][] files = [.. new[] { PictureFormat.Png, PictureFormat.Jpeg, PictureFormat.Webp }.Select(format => Picture.Encode(photo, format))];
        var random = new Random(1);
        using var folder = Folder((In("a", "0"), Plain(1)));
        for (var i = 1; i < 600; i++)
        {
            var content = (byte[])files[i % 3].Clone();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
                content[random.Next(content.Length)] = (byte)random.Next(256);
            folder.Write(In("a", $"{i}"), random.Next(4) == 0 ? content[..random.Next(content.Length)] : content);
        }
        var set = ImageFolder.Scan(folder.FullName, Preprocessing.Square(16), skipUnreadable: true);
        var read = 0L;
        foreach (var positions in All(set).Chunk(50))
            read += set.Read([0, .. positions]).Images.shape[0] - 1;
        Assert.Equal(600, read + set.Unreadable.Count);
        Assert.InRange(read, 100, 500);
    }

    [Fact]
    public void A_stream_of_batches_takes_pictures_as_it_takes_tensors()
    {
        var stream = new BatchStream(Five, 2, seed: 1, new() { HorizontalFlip = true, RandAugmentOps = 2 });
        Assert.Equal([0L, 0, 0, 1, 1], stream.Epoch(0).SelectMany(batch => batch.Labels.data<long>().ToArray()).Order());
    }
}
