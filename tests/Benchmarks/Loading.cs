using System.Globalization;
using System.IO.Compression;
using System.Text;
using TorchSharp;
using Vit.Models;
using Vit.Weights;
using static TorchSharp.torch;

namespace Benchmarks;

/// <summary>What it takes to load a checkpoint in each format, against reading its bytes once into memory.</summary>
static class Loading
{
    public const string Child = "--load";

    const string Warm = "warm";
    const int MostRounds = 7;

    public static void Run(Options options)
    {
        var config = options.Quick ? VisionTransformerConfig.Ti16 : VisionTransformerConfig.B16;
        var folder = Directory.CreateTempSubdirectory("vit-loading-").FullName;
        try
        {
            Write(config, folder);
            Figures.Header("file", "MB", "one reading, ms", "Pretrained.Load, ms", "ratio, clock", "ratio, processor", "peak above start, MB", "of the model's MB");
            var small = Directory.CreateDirectory(Path.Combine(folder, Warm)).FullName;
            using (var model = new VisionTransformer(VisionTransformerConfig.Micro))
                Pretrained.SaveAsTimm(model, small);
            foreach (var place in Directory.GetDirectories(folder).Order().Where(it => it != small))
            {
                // A model is loaded once in a process, into memory that is fresh; so is the file that it is compared with.
                var (reads, loads, rounds) = (new List<Duration>(), new List<Duration>(), Math.Min(options.Rounds, MostRounds));
                double[] Measured(string what) => MeasuredProcess.Run(Child, what, place, small, $"{options.Threads}");
                double[] last = [];
                for (var round = 0; round < rounds; round++)
                {
                    var read = Measured("read");
                    reads.Add(new(read[0], read[1]));
                    last = Measured("load");
                    loads.Add(new(last[0], last[1]));
                }
                Figures.Row(Path.GetFileName(place), (Directory.GetFiles(place).Sum(file => new FileInfo(file).Length) / 1e6).ToString("F0", CultureInfo.InvariantCulture),
                    Figures.Milliseconds(reads), Figures.Milliseconds(loads), Figures.Ratio([.. loads], [.. reads], it => it.Wall), Figures.Ratio([.. loads], [.. reads], it => it.Processor),
                    (last[2] / 1e6).ToString("F0", CultureInfo.InvariantCulture), (last[2] / last[3]).ToString("P0", CultureInfo.InvariantCulture));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static int RunChild(string[] arguments)
    {
        var (what, place, small) = (arguments[0], arguments[1], arguments[2]);
        set_num_threads(int.Parse(arguments[3], CultureInfo.InvariantCulture));
        // Code that runs for the first time is compiled: a small model takes that upon itself.
        ReadOnce(small);
        Pretrained.Load(small).Dispose();
        PretrainedModel<nn.Module<Tensor, Tensor>>? loaded = null;
        var before = MeasuredProcess.Peak();
        var duration = Duration.Of(() =>
        {
            if (what == "read")
                ReadOnce(place);
            else
                loaded = Pretrained.Load(place);
        });
        return MeasuredProcess.Answer(duration.Wall, duration.Processor, MeasuredProcess.Peak() - before,
            loaded?.Model.parameters().Sum(it => it.numel() * it.element_size()) ?? 0);
    }

    /// <summary>Every byte, into memory of the file's size that is taken for it: what a load cannot do without.</summary>
    static void ReadOnce(string place)
    {
        foreach (var path in Directory.GetFiles(place))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            using var memory = empty(file.Length, ScalarType.Byte);
            file.ReadExactly(memory.bytes);
        }
    }

    static void Write(VisionTransformerConfig config, string folder)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = new VisionTransformer(config);
        nn.init.normal_(model.head!.weight!, 0, 0.02);
        string New(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        foreach (var (name, type) in new[] { ("safetensors F32", float32), ("safetensors F16", float16), ("safetensors BF16", bfloat16) })
        {
            Pretrained.SaveAsTimm(model.to(type), New(name));
            model.to(float32);
        }
        var source = Path.Combine(folder, "safetensors F32", "model.safetensors");
        var all = SafeTensors.Load(source);
        Shard(all, New("safetensors F32, 4 files"));
        using (var huggingFace = new VisionTransformer(config))
            Pretrained.SaveAsHuggingFace(huggingFace, New("safetensors F32, split QKV"));
        foreach (var (name, level) in new[] { ("npz stored", CompressionLevel.NoCompression), ("npz deflated", CompressionLevel.Fastest) })
            Zip(all, Path.Combine(New(name), "model.npz"), level);
    }

    static void Shard(Dictionary<string, Tensor> tensors, string folder)
    {
        var parts = tensors.Chunk((tensors.Count + 3) / 4).Select((part, i) => (Name: $"model-{i}.safetensors", part)).ToList();
        foreach (var (name, part) in parts)
            SafeTensors.Save(Path.Combine(folder, name), part);
        var map = parts.SelectMany(it => it.part.Select(pair => $"\"{pair.Key}\": \"{it.Name}\""));
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), $"{{\"weight_map\": {{{string.Join(", ", map)}}}}}");
    }

    static void Zip(Dictionary<string, Tensor> tensors, string path, CompressionLevel level)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, tensor) in tensors)
        {
            using var entry = zip.CreateEntry($"{name}.npy", level).Open();
            var shape = string.Concat(tensor.shape.Select(size => $"{size}, "));
            var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({(tensor.shape.Length == 1 ? shape.TrimEnd() : shape.TrimEnd(' ', ','))}), }}";
            header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
            entry.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. Encoding.Latin1.GetBytes(header)]);
            entry.Write(tensor.bytes);
        }
    }
}
