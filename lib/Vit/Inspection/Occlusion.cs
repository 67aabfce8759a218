using TorchSharp;
using static TorchSharp.torch;

namespace Vit.Inspection;

/// <summary>What a model's answer rests on, found by covering parts of the image (arXiv:1311.2901, section 4.2).</summary>
public static class Occlusion
{
    const int AtOnce = 64;

    /// <summary>The class's probability with each square of the image covered in turn.</summary>
    /// <param name="model">Images [B, C, H, W] to logits [B, K]; it is used as it is: put it into evaluation mode first.</param>
    /// <param name="image">[C, H, W].</param>
    /// <param name="label">The class that is asked about, from 0 to K - 1.</param>
    /// <param name="size">The square's side, in pixels; it divides H and W.</param>
    /// <param name="fill">What a covered pixel holds.</param>
    /// <returns>The probability of the whole image, and of the covered ones, [H / size, W / size].</returns>
    /// <exception cref="ArgumentException">The image is not [C, H, W], or the square does not divide it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such class.</exception>
    public static (double Whole, Tensor Covered) Probabilities(nn.Module<Tensor, Tensor> model, Tensor image, int label, int size, double fill = 0)
    {
        if (image.dim() != 3 || size <= 0 || image.shape[1] % size != 0 || image.shape[2] % size != 0)
            throw new ArgumentException($"Found an image {Shape.Of(image)} and a square of {size}, expected [C, H, W] with H and W multiples of the square.", nameof(image));
        var (rows, columns) = ((int)image.shape[1] / size, (int)image.shape[2] / size);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var squares = rows * columns;
        var parts = new List<Tensor>();
        for (var first = -1; first < squares; first += AtOnce)                                  // −1: the whole image
        {
            using var part = NewDisposeScope();
            var images = image.unsqueeze(0).repeat(Math.Min(AtOnce, squares - first), 1, 1, 1);
            for (var i = Math.Max(0, -first); i < images.shape[0]; i++)
            {
                var (row, column) = ((first + i) / columns * size, (first + i) % columns * size);
                images[i].slice(1, row, row + size, 1).slice(2, column, column + size, 1).fill_(fill);
            }
            var logits = model.forward(images);
            if (label < 0 || label >= logits.shape[1])
                throw new ArgumentOutOfRangeException(nameof(label), label, $"The model's classes are numbered from 0 to {logits.shape[1] - 1}.");
            parts.Add(logits.softmax(-1).select(1, label).clone().MoveToOuterDisposeScope());
        }
        var probabilities = cat(parts);                                                         // [1 + rows · columns]
        return (probabilities[0].ToDouble(), probabilities.slice(0, 1, 1 + squares, 1).reshape(rows, columns).MoveToOuterDisposeScope());
    }
}
