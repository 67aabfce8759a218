namespace Vit.Weights;

/// <summary>Turns away files that stand in the place of weights.</summary>
static class NoWeights
{
    static readonly string[] Pickles = [".pth", ".pt", ".bin", ".pkl", ".ckpt"];

    /// <exception cref="InvalidDataException">The file's name says that it is pickled, or it is a pointer of Git LFS.</exception>
    public static void Refuse(string path)
    {
        if (Pickles.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
        {
            throw new InvalidDataException(
                $"{path} is a pickled PyTorch file. Reading a pickle runs whatever code its author put into it, so it is never loaded here. " +
                "Use the model's .safetensors file, which nearly every published model has beside it, or convert the file where you trust it: " +
                "in Python, safetensors.torch.save_file(torch.load(path, weights_only=True), \"model.safetensors\").");
        }
        if (!File.Exists(path))
            return;
        var pointer = "version https://git-lfs"u8;
        Span<byte> start = stackalloc byte[pointer.Length];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(pointer))
            throw new InvalidDataException(
                $"{path} is a pointer of Git LFS, not the weights, which were left out when the repository was cloned: \"git lfs pull\" in its folder fetches them.");
    }
}
