using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>A file of named tensors: what it holds at once, each tensor when asked for.</summary>
/// <remarks>
/// Everything that a file claims is checked against its length before anything is allocated for it. Tensors are read
/// straight into torch's memory, so that a load needs the memory of its tensors and little more.
/// </remarks>
public abstract class TensorFile : IDisposable
{
    /// <summary>The file's tensors by name, in the file's order.</summary>
    public abstract IReadOnlyDictionary<string, StoredTensor> Tensors { get; }

    /// <summary>Opens a file by the kind that its name says.</summary>
    /// <param name="path"><c>.safetensors</c>, the <c>.safetensors.index.json</c> of a checkpoint in several files, or <c>.npz</c>.</param>
    /// <exception cref="InvalidDataException">The file is damaged or of another kind; the message names it and the tensor.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static TensorFile Open(string path)
    {
        NoWeights.Refuse(path);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".safetensors" => new SafeTensorsFile(path),
            ".json" => new ShardedSafeTensorsFile(path),
            ".npz" => new NpzFile(path),
            _ => throw new InvalidDataException($"{path} is none of .safetensors, .safetensors.index.json and .npz."),
        };
    }

    /// <summary>Reads one tensor, to the CPU.</summary>
    /// <exception cref="KeyNotFoundException">The file has no tensor of this name.</exception>
    /// <exception cref="InvalidDataException">The tensor's data is damaged.</exception>
    public abstract Tensor Read(string name);

    /// <summary>Reads every tensor, to the CPU; the caller disposes them.</summary>
    /// <exception cref="InvalidDataException">The data of a tensor is damaged.</exception>
    public Dictionary<string, Tensor> ReadAll()
    {
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var name in Tensors.Keys)
                tensors.Add(name, Read(name));
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file; tensors that were read stay.</summary>
    public abstract void Dispose();

    private protected static string Shortened(string text) => text.Length <= 200 ? text : $"{text[..200]}…";

    /// <summary>Reads one tensor into another of its shape, without one between where type and place allow.</summary>
    internal virtual void ReadInto(string name, Tensor target)
    {
        using var value = Read(name);
        target.copy_(value);
    }

    /// <summary>A new tensor of the stream's next bytes.</summary>
    private protected static Tensor Fill(long[] shape, ScalarType type, Stream stream)
    {
        var result = empty(shape, type);
        try
        {
            Fill(result, stream);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Fills a contiguous tensor on the CPU with the stream's next bytes.</summary>
    private protected static void Fill(Tensor target, Stream stream)
    {
        // A span has less than 2 GB.
        const long atOnce = 1 << 27;
        using var flat = target.view(-1);
        for (long start = 0; start < flat.shape[0]; start += atOnce)
        {
            using var part = flat.narrow(0, start, Math.Min(atOnce, flat.shape[0] - start));
            stream.ReadExactly(part.bytes);
        }
    }
}
