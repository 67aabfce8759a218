using System.Globalization;
using System.Reflection;
using Vit.Data;
using Vit.Models;
using static TorchSharp.torch;
using AdamW = Vit.Training.AdamW;

namespace Benchmarks;

/// <summary>Pictures from files to tensors: by the library, which takes ImageSharp, against SkiaSharp.</summary>
static class Pictures
{
    const int Size = 224;
    const int Batch = 32;

    public static void Run(Options options)
    {
        var folder = Directory.CreateTempSubdirectory("vit-pictures-").FullName;
        try
        {
            Figures.Header("picture", "kB", "ours, ms", "SkiaSharp, ms", "ratio, clock", "ratio, processor");
            foreach (var (name, path) in Files(folder, options.Quick))
            {
                var times = Duration.InTurns(options.Rounds, () => Picture.Load(path).Dispose(), () => SkiaPictures.Load(path).Dispose());
                Row(name, new FileInfo(path).Length, times);
            }
            var classes = Directory.CreateDirectory(Path.Combine(folder, "classes", "one")).FullName;
            using (var photo = Photo("coffee.png"))
                for (var i = 0; i < 4 * Batch; i++)
                    using (var part = photo.narrow(1, i % 25, 375).narrow(2, i % 100, 500))
                        Picture.Save(part, Path.Combine(classes, $"{i}.jpg"));
            var set = ImageFolder.Scan(Path.GetDirectoryName(classes)!, Preprocessing.Square(Size));
            long[] positions = [.. Enumerable.Range(0, Batch).Select(i => (long)i)];
            string[] paths = [.. set.Paths.Take(Batch)];
            var batches = Duration.InTurns(options.Rounds, () => Read(set, positions), () => SkiaPictures.LoadSquares(paths, Size).Dispose());
            Row($"{Batch} of 500 × 375, to {Size} × {Size}", paths.Sum(path => new FileInfo(path).Length), batches);
            string PerSecond(Duration[] durations) => (Batch / durations.Select(it => it.Wall).Median()).ToString("F0", CultureInfo.InvariantCulture);
            Console.WriteLine($"\n`ImageFolder`: {PerSecond(batches[0])} images a second, SkiaSharp {PerSecond(batches[1])}.");
            Console.WriteLine($"A training of Ti/16 waits for its batches {Waiting(set):P1} of the time.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static void Row(string name, long bytes, Duration[][] times) => Figures.Row(
        name, (bytes / 1e3).ToString("F0", CultureInfo.InvariantCulture),
        Milliseconds(times[0]), Milliseconds(times[1]), Figures.Ratio(times[0], times[1], it => it.Wall), Figures.Ratio(times[0], times[1], it => it.Processor));

    static string Milliseconds(Duration[] durations) => (durations.Select(it => it.Wall).Median() * 1000).ToString("F1", CultureInfo.InvariantCulture);

    static void Read(ImageFolder set, long[] positions)
    {
        using var scope = NewDisposeScope();
        set.Read(positions);
    }

    static IEnumerable<(string Name, string Path)> Files(string folder, bool quick)
    {
        yield return ("JPEG, 640 × 427", PathTo("rocket.jpg"));
        yield return ("PNG, 451 × 300", PathTo("cat.png"));
        using var photo = Photo("coffee.png");
        yield return ("WebP, 600 × 400", Saved(photo, Path.Combine(folder, "small.webp")));
        using var large = quick ? photo.alias() : Picture.Resize(photo, 3000, 4000, Interpolation.Bicubic);
        yield return ("JPEG, 12 megapixels", Saved(large, Path.Combine(folder, "large.jpg")));
    }

    static string Saved(Tensor image, string path)
    {
        Picture.Save(image, path);
        return path;
    }

    /// <summary>The share of the time of some steps of which the model waited for the next batch.</summary>
    static double Waiting(ImageFolder set)
    {
        using var model = new VisionTransformer(VisionTransformerConfig.Ti16);
        using var optimizer = new AdamW(model);
        var stream = new BatchStream(set, Batch, seed: 1);
        var elapsed = Duration.Begin();
        foreach (var batch in stream.Epoch(0))
        {
            using var scope = NewDisposeScope();
            optimizer.ZeroGrad();
            nn.functional.cross_entropy(model.forward(batch.Images), batch.Labels).backward();
            optimizer.Step(1e-3, clipNorm: 1);
        }
        return stream.Waited.TotalSeconds / elapsed().Wall;
    }

    static Tensor Photo(string name) => Picture.Load(PathTo(name));

    static string PathTo(string name) => Path.Combine(
        typeof(Pictures).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(it => it.Key == "RepositoryRoot").Value!, "data", "photos", name);
}
