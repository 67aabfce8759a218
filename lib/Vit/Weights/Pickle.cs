namespace Vit.Weights;

/// <summary>Turns away the files that PyTorch pickles.</summary>
static class Pickle
{
    static readonly string[] Extensions = [".pth", ".pt", ".bin", ".pkl", ".ckpt"];

    /// <exception cref="InvalidDataException">The file's name says that it is pickled.</exception>
    public static void Refuse(string path)
    {
        if (Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
        {
            throw new InvalidDataException(
                $"{path} is a pickled PyTorch file. Reading a pickle runs whatever code its author put into it, so it is never loaded here. " +
                "Use the model's .safetensors file, which nearly every published model has beside it, or convert the file where you trust it: " +
                "in Python, safetensors.torch.save_file(torch.load(path, weights_only=True), \"model.safetensors\").");
        }
    }
}
