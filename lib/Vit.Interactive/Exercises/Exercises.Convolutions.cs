using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>The side of the square of pixels that one output of a stack of convolutions depends on.</summary>
    /// <param name="receptiveField">From the layers, the first one first, to pixels.</param>
    public static string ReceptiveField(Func<(int Kernel, int Stride)[], int> receptiveField)
    {
        foreach (var layers in new (int Kernel, int Stride)[][]
        {
            [], [(3, 1)], [(3, 1), (3, 1), (3, 1)], [(5, 2)], [(3, 2), (3, 1)], [(7, 2), (3, 2), (3, 1)], [(2, 2), (3, 1), (3, 2), (3, 1)],
        })
        {
            int field = 1, product = 1;
            foreach (var (kernel, stride) in layers)
                (field, product) = (field + (kernel - 1) * product, product * stride);
            var yours = receptiveField(layers);
            if (yours == field)
                continue;
            var (plain, last) = (1 + layers.Sum(layer => layer.Kernel - 1), 1 + layers.Select((layer, i) => (layer.Kernel - 1) * (i == 0 ? 1 : layers[i - 1].Stride)).Sum());
            var (late, strides) = (1, 1);
            foreach (var (kernel, stride) in layers)
                (strides, late) = (strides * stride, late + (kernel - 1) * strides * stride);
            var stack = layers.Length == 0 ? "no layer at all" : string.Join(", then ", layers.Select(layer => $"{layer.Kernel} × {layer.Kernel} with stride {layer.Stride}"));
            if (layers.All(layer => layer.Stride == 1))
                return $"Not yet: for {stack} you say {yours}. How many pixels does one more layer add on each side?";
            if (yours == plain)
                return $"Not yet: {yours} for {stack} leaves the strides out. Behind a stride, neighbouring outputs lie further apart.";
            if (yours == late)
                return $"Not yet: {yours} for {stack} is too much. A layer's own stride widens what comes behind it, not the layer itself.";
            return yours == last
                ? $"Not yet: {yours} for {stack} counts only the stride just before; they multiply."
                : $"Not yet: for {stack} you say {yours}. Follow one output back, layer by layer.";
        }
        return "Right. A ViT's first block sees the whole image.";
    }

    /// <summary>Images moved over a black background.</summary>
    /// <param name="moved">From images [B, C, H, W] and how many pixels down and right, less than 0 for up and left, to images of the same size.</param>
    public static string Moved(Func<Tensor, int, int, Tensor> moved)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(14);
        var images = rand([2, 3, 6, 8], generator: generator) + 0.1;
        foreach (var (down, right) in new[] { (1, 0), (0, 2), (3, 1), (0, 0), (-2, 0), (0, -3), (-1, 4) })
        {
            var yours = moved(images.clone(), down, right);
            if (!yours.shape.SequenceEqual(images.shape))
                return WrongShape(yours, "that of the images, " + Shape.Of(images));
            Tensor By(int rows, int columns) => nn.functional.pad(images, [8, 8, 8, 8]).roll([rows, columns], [2, 3])[.., .., 8..14, 8..16];
            bool Is(Tensor other) => Same(yours, other);
            if (Is(By(down, right)))
                continue;
            if (Is(images))
                return "Not yet: nothing has moved.";
            if (Is(images.roll([down, right], [2, 3])))
                return "Not yet: what leaves on one side comes in on the other. There it has to be black.";
            if (Is(By(-down, -right)))
                return "Not yet: it moves the other way.";
            if (Is(By(right, down)))
                return "Not yet: rows and columns are swapped; images are [B, C, H, W].";
            return down < 0 || right < 0
                ? $"Not yet: down and right it works; with {down} and {right} it has to go up or left."
                : $"Not yet: {down} down and {right} right. Which rows and columns remain, and where do they begin?";
        }
        return "Right: it is a shift that no network can undo at the border, since something left the image.";
    }
}
