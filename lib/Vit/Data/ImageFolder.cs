using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// Pictures in folders, one folder a class: <c>cats/1.jpg</c>, <c>dogs/2.png</c>. Only their paths are kept in memory; each
/// batch is decoded when it is read, on all cores.
/// </summary>
/// <remarks>Classes and pictures are in the order of their names' UTF-16 code units, which is the same on every system.</remarks>
public sealed class ImageFolder : IImageSource
{
    readonly string[] paths;
    readonly long[] labels;
    readonly bool skipUnreadable;
    // By path; files are found unreadable on several threads.
    readonly ConcurrentDictionary<string, string> unreadable;

    ImageFolder(string[] paths, long[] labels, IReadOnlyList<string> classNames, Preprocessing preprocessing, bool skipUnreadable, ConcurrentDictionary<string, string> unreadable)
    {
        (this.paths, this.labels, ClassNames, Preprocessing) = (paths, labels, classNames, preprocessing);
        (this.skipUnreadable, this.unreadable) = (skipUnreadable, unreadable);
    }

    /// <summary>Lists a folder's pictures, and looks at the beginning of each whether it is one.</summary>
    /// <param name="folder">The folder that holds one folder a class. Hidden files and folders are left alone.</param>
    /// <param name="preprocessing">How pictures become what the model takes: of a model that is there already, the model's own.</param>
    /// <param name="skipUnreadable">
    /// True: files that are no PNG, JPEG or WebP pictures, damaged, or not to be read at all, are left out and listed in
    /// <see cref="Unreadable"/>. False: the first one is thrown.
    /// </param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">
    /// There are no classes, a class has no pictures or holds folders, or a file is unreadable and shall not be skipped.
    /// </exception>
    /// <exception cref="ArgumentException">A value of the preprocessing is out of its range, such as a side that is not from 1 to 4096.</exception>
    public static ImageFolder Scan(string folder, Preprocessing preprocessing, bool skipUnreadable = false)
    {
        preprocessing.Check();
        if (preprocessing.Channels is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(preprocessing), preprocessing.Channels, "Expected pictures of 3 channels, or 1 for grey.");
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: there is no such folder.");
        var classes = Folders(folder);
        if (classes.Length == 0)
            throw InvalidFile.Because(folder, $"no folders ({Files(folder).Length} files)", "one folder a class, with the class's pictures in it");

        var pictures = new List<(string Path, long Label)>();
        foreach (var (label, path) in classes.Index())
        {
            if (Folders(path) is [var first, ..] inside)
                throw InvalidFile.Because(path, $"{inside.Length} folders, {Path.GetFileName(first)} for one", "pictures alone; give the folder that holds the classes' folders");
            pictures.AddRange(Files(path).Select(file => (file, (long)label)));
        }

        var unreadable = new ConcurrentDictionary<string, string>();
        var readable = Attempt(pictures.Count, i => Picture.Check(pictures[i].Path), i => pictures[i].Path, skipUnreadable, unreadable);
        var kept = pictures.Where((_, i) => readable[i]).ToArray();
        var found = kept.Select(picture => picture.Label).ToHashSet();
        foreach (var (label, path) in classes.Index())
            if (!found.Contains(label))
                throw InvalidFile.Because(path, pictures.Any(picture => picture.Label == label) ? "no readable pictures" : "no files", "at least one picture");
        return new(
            [.. kept.Select(picture => picture.Path)], [.. kept.Select(picture => picture.Label)],
            [.. classes.Select(path => Path.GetFileName(path))], preprocessing, skipUnreadable, unreadable);
    }

    /// <inheritdoc/>
    public int Count => paths.Length;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public Preprocessing Preprocessing { get; }

    /// <summary>N files.</summary>
    public IReadOnlyList<string> Paths => paths;

    /// <summary>N classes, each a position in <see cref="ClassNames"/>.</summary>
    public IReadOnlyList<long> Labels => labels;

    /// <summary>The files that were left out so far, and why: some show only when the whole of them is decoded.</summary>
    public IReadOnlyDictionary<string, string> Unreadable => unreadable;

    /// <inheritdoc/>
    /// <returns>
    /// Images [B, C, H, W], float32 in [0, 1], and labels [B], int64. Pictures that turn out unreadable are left out, where they
    /// shall be skipped; B is 0 where all of them are.
    /// </returns>
    /// <exception cref="InvalidDataException">A picture is damaged and shall not be skipped.</exception>
    /// <exception cref="IOException">A picture cannot be read and shall not be skipped.</exception>
    /// <exception cref="UnauthorizedAccessException">A picture must not be read and shall not be skipped.</exception>
    public (Tensor Images, Tensor Labels) Read(long[] positions, RandomCrop? crop = null)
    {
        Order.Check(positions, Count);
        using var scope = NewDisposeScope();
        var images = empty(positions.Length, Preprocessing.Channels, Preprocessing.Height, Preprocessing.Width);
        // Each by itself: all together may have more bytes than a span.
        var each = images.unbind(0);
        var readable = Attempt(
            positions.Length,
            i => Fill(each[i], paths[positions[i]], crop, i),
            i => paths[positions[i]], skipUnreadable, unreadable);
        var found = tensor(positions.Select(position => labels[position]).ToArray());
        if (readable.Contains(false))
        {
            var mask = tensor(readable);
            (images, found) = (images[mask], found[mask]);
        }
        return (images.MoveToOuterDisposeScope(), found.MoveToOuterDisposeScope());
    }

    // Nothing here is computed by libtorch, so that many threads may do it at once, each with a core to itself.
    void Fill(Tensor image, string path, RandomCrop? crop, int place)
    {
        using var scope = NewDisposeScope();
        Preprocessing.Fit(Picture.Load(path, grayscale: Preprocessing.Channels == 1), crop, place).bytes.CopyTo(image.bytes);
    }

    /// <summary>The pictures at these positions.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A position lies outside the folder.</exception>
    public ImageFolder Select(IEnumerable<long> positions)
    {
        long[] chosen = [.. positions];
        Order.Check(chosen, Count);
        return new(
            [.. chosen.Select(position => paths[position])], [.. chosen.Select(position => labels[position])],
            ClassNames, Preprocessing, skipUnreadable, unreadable);
    }

    /// <inheritdoc cref="ImageSet.RandomSplit(int, int)"/>
    public (ImageFolder Remaining, ImageFolder Aside) RandomSplit(int count, int seed)
    {
        var (remaining, aside) = Order.Split(Count, count, seed);
        return (Select(remaining), Select(aside));
    }

    /// <inheritdoc cref="ImageSet.RandomSplit(double, int)"/>
    public (ImageFolder Remaining, ImageFolder Aside) RandomSplit(double share, int seed) => RandomSplit(Order.Count(Count, share), seed);

    /// <summary>Does something with each file, and tells for which it could be done.</summary>
    static bool[] Attempt(int count, Action<int> act, Func<int, string> path, bool skip, ConcurrentDictionary<string, string> unreadable)
    {
        var readable = new bool[count];
        var failures = new Exception?[count];
        Parallel.For(0, count, i =>
        {
            try
            {
                act(i);
                readable[i] = true;
            }
            catch (Exception e) when (skip && e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                unreadable[path(i)] = e.Message;
            }
            catch (Exception e)
            {
                failures[i] = e;
            }
        });
        // The first in order, not the first in time, so that the same one is thrown each time.
        foreach (var failure in failures)
            if (failure is not null)
                ExceptionDispatchInfo.Throw(failure);
        return readable;
    }

    static string[] Folders(string folder) => Sorted(Directory.GetDirectories(folder, "*", Listing));

    static string[] Files(string folder) => Sorted(Directory.GetFiles(folder, "*", Listing));

    static string[] Sorted(string[] paths) => [.. paths.OrderBy(path => Path.GetFileName(path), StringComparer.Ordinal)];

    // Hidden files, which on Unix begin with a dot, are left alone; what must not be listed is an error.
    static EnumerationOptions Listing => new() { IgnoreInaccessible = false };
}
