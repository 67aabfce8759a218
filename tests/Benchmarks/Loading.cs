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

    public static void Run(Options options)
    {
        var config = options.Quick ? VisionTransformerConfig.Ti16 : VisionTransformerConfig.B16;
        var folder = Directory.CreateTempSubdirectory("vit-loading-").FullName;
        try
        {
            Write(config, folder);
            Figures.Header("file", "MB", "Pretrained.Load, ms", "against one reading, clock", "against one reading, processor", "peak above start, MB", "of the model's MB");
            foreach (var path in Directory.GetDirectories(folder).Order().Select(Path.GetFileName))
            {
                var place = Path.Combine(folder, path!);
                var files = Directory.GetFiles(place);
                var times = Duration.InTurns(options.Rounds, () => ReadOnce(files), () => Pretrained.Load(place).Dispose());
                var (peak, model) = MeasuredProcess.Run(Child, place) is [var first, var second] ? (first, second) : default;
                Figures.Row(path!, (files.Sum(file => new FileInfo(file).Length) / 1e6).ToString("F0", CultureInfo.InvariantCulture), Figures.Milliseconds(times[1]),
                    Figures.Ratio(times[1], times[0], it => it.Wall), Figures.Ratio(times[1], times[0], it => it.Processor),
                    (peak / 1e6).ToString("F0", CultureInfo.InvariantCulture), (peak / model).ToString("P0", CultureInfo.InvariantCulture));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static int RunChild(string place)
    {
        // What the first load of anything takes for libtorch itself is not the file's.
        using (var small = new VisionTransformer(VisionTransformerConfig.Micro))
        using (var images = zeros(1, 3, 32, 32))
            small.forward(images).Dispose();
        var before = MeasuredProcess.Peak();
        using var loaded = Pretrained.Load(place);
        return MeasuredProcess.Answer(MeasuredProcess.Peak() - before, loaded.Model.parameters().Sum(it => it.numel() * it.element_size()));
    }

    /// <summary>Every byte, into memory of the file's size that is taken for it: what a load cannot do without.</summary>
    static void ReadOnce(string[] files)
    {
        foreach (var path in files)
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
        nn.init.normal_(model.head.weight!, 0, 0.02);
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
