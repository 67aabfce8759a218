using System.Globalization;

namespace Notebooks;

/// <summary>Lists published models, and fetches them to where the notebooks look for them.</summary>
/// <param name="folder">The folder that takes one folder a model: <c>data/weights</c>.</param>
/// <param name="arriving">The folder that takes what is not complete, so that no notebook meets half a model.</param>
/// <param name="output">Where to tell.</param>
/// <param name="live">Whether that is a terminal.</param>
sealed class PublishedWeights(string folder, string arriving, TextWriter output, bool live)
{
    /// <summary>What is published and fits the library, the smallest first.</summary>
    public static IReadOnlyList<Model> All { get; } =
    [
        new("vit-tiny", "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", "ViT-Ti/16, ImageNet-21k, then ImageNet", "Apache-2.0", 23, ["config.json", "model.safetensors"]),
        new("deit-tiny", "timm/deit_tiny_distilled_patch16_224.fb_in1k", "DeiT-Ti/16, distilled on ImageNet", "Apache-2.0", 24, ["config.json", "model.safetensors"]),
        new("swin-tiny", "timm/swin_tiny_patch4_window7_224.ms_in1k", "Swin-T, ImageNet", "MIT", 113, ["config.json", "model.safetensors"]),
        new("vit-base", "google/vit-base-patch16-224", "ViT-B/16 of the paper, ImageNet-21k, then ImageNet", "Apache-2.0", 346, ["config.json", "preprocessor_config.json", "model.safetensors"]),
    ];

    /// <summary>A published model.</summary>
    /// <param name="Name">Its name here, and its folder's.</param>
    /// <param name="Repository">Where it is on the hub.</param>
    /// <param name="About">What it is.</param>
    /// <param name="Licence">As its page states it.</param>
    /// <param name="Megabytes">The size of its files, rounded.</param>
    /// <param name="Files">What is fetched.</param>
    public sealed record Model(string Name, string Repository, string About, string Licence, int Megabytes, IReadOnlyList<string> Files);

    /// <summary>Fetches models; files that are there stay as they are. Without a name it lists them all.</summary>
    /// <param name="names">Names of <see cref="All"/>.</param>
    /// <param name="variable">Reads an environment variable, as in <see cref="HubDownload(Func{string, string})"/>.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The program's exit code: 0, 1 after a failure, 130 after an interruption.</returns>
    public async Task<int> Run(IReadOnlyList<string> names, Func<string, string?> variable, CancellationToken cancellation)
    {
        if (names.Count == 0)
        {
            List();
            return 0;
        }

        try
        {
            using var hub = new HubDownload(variable);
            foreach (var model in names.Distinct().Select(n => All.Single(m => m.Name == n)))
            {
                output.WriteLine($"{model.Name}: {model.About}; licence {model.Licence}; {model.Megabytes} MB; {model.Repository}");
                var (target, source) = (Path.Combine(folder, model.Name), Path.Combine(arriving, model.Name));
                foreach (var file in model.Files)
                {
                    if (File.Exists(Path.Combine(target, file)) || File.Exists(Path.Combine(source, file)))
                    {
                        output.WriteLine($"  {file}: there already");
                    }
                    else
                    {
                        await Fetch(hub, model.Repository, file, Path.Combine(source, file), cancellation);
                    }
                }

                Directory.CreateDirectory(target);
                foreach (var file in model.Files.Where(f => File.Exists(Path.Combine(source, f))))
                {
                    File.Move(Path.Combine(source, file), Path.Combine(target, file), overwrite: true);
                }

                output.WriteLine($"It is in {target}, where notebook 12 looks for it.");
            }

            return 0;
        }
        catch (OperationCanceledException)
        {
            output.WriteLine("Interrupted. What has come is kept: run the command again, and it goes on from there.");
            return 130;
        }
        catch (Exception e) when (e is HubException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            output.WriteLine(e.Message);
            return 1;
        }
    }

    async Task Fetch(HubDownload hub, string repository, string file, string target, CancellationToken cancellation)
    {
        var (shown, begun) = (-1L, false);
        bool hashed;
        try
        {
            hashed = await hub.Fetch(repository, file, target, Tell, cancellation);
        }
        finally
        {
            if (live && begun)
            {
                output.WriteLine();
            }
        }

        output.WriteLine(hashed ? $"  {file}: whole, with the hash that the hub states" : $"  {file}: whole by its length; the hub states no hash");

        // In a terminal one line that is written over, else a line for each tenth.
        void Tell(long received, long? total)
        {
            var step = live ? received / 100_000 : 10 * received / Math.Max(1, total ?? 1_000_000_000);
            if (step == shown)
            {
                return;
            }

            (shown, begun) = (step, true);
            var text = $"  {file}: {Megabytes(received)}{(total is { } all ? $" of {Megabytes(all)}" : "")} MB";
            output.Write(live ? $"\r{text}\u001b[K" : text + "\n");
            output.Flush();
        }
    }

    void List()
    {
        foreach (var m in All)
        {
            output.WriteLine($"{m.Name,-9}  {m.Megabytes,3} MB  {m.Licence,-10}  {m.About}");
            output.WriteLine($"{"",-9}  {m.Repository}: {string.Join(", ", m.Files)}");
        }

        output.WriteLine($"One or more names fetch them into {folder}.");
    }

    static string Megabytes(long bytes) => (bytes / 1e6).ToString(bytes < 100_000 ? "F4" : "F1", CultureInfo.InvariantCulture);
}
