using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Labelled images, all in memory as one tensor: at the sizes used here, indexing it beats a data loader.</summary>
public sealed class ImageSet : IImageSource
{
    /// <param name="images">[N, C, H, W], uint8 or float32 in [0, 1].</param>
    /// <param name="labels">[N], int64, each a position in <paramref name="classNames"/>.</param>
    /// <param name="classNames">K names.</param>
    /// <param name="normalization">What a model takes these images by; null: as they are.</param>
    /// <exception cref="ArgumentException">Shapes or types do not fit each other, a label has no name, or a pixel is not finite.</exception>
    public ImageSet(Tensor images, Tensor labels, IReadOnlyList<string> classNames, Normalization? normalization = null)
    {
        if (images.dim() != 4 || images.dtype is not (ScalarType.Byte or ScalarType.Float32))
            throw new ArgumentException($"Found {images.dtype} {Shape.Of(images)}, expected uint8 or float32 [N, C, H, W].", nameof(images));
        if (labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != images.shape[0])
            throw new ArgumentException($"Found {labels.dtype} {Shape.Of(labels)}, expected int64 [{images.shape[0]}].", nameof(labels));
        using var scope = NewDisposeScope();
        if (First(labels.lt(0) | labels.ge(classNames.Count)) is long unnamed)
            throw new ArgumentException($"Image {unnamed} has the label {labels[unnamed].item<long>()}, expected 0 to {classNames.Count - 1}: there are {classNames.Count} class names.", nameof(labels));
        if (images.is_floating_point() && First(images.isfinite().logical_not().flatten(1).any(1)) is long broken)
            throw new ArgumentException($"Image {broken} has a pixel that is not finite.", nameof(images));
        (Images, Labels, ClassNames) = (images, labels, classNames);
        Preprocessing = new()
        {
            Channels = (int)images.shape[1],
            Height = (int)images.shape[2],
            Width = (int)images.shape[3],
            Normalization = normalization ?? Normalization.None,
        };

        static long? First(Tensor wrong) => wrong.numel() > 0 && wrong.any().item<bool>() ? wrong.to(ScalarType.Int64).argmax().item<long>() : null;
    }

    ImageSet(Tensor images, Tensor labels, ImageSet like) =>
        (Images, Labels, ClassNames, Preprocessing) = (images, labels, like.ClassNames, like.Preprocessing);

    /// <summary>[N, C, H, W], uint8 or float32 in [0, 1].</summary>
    public Tensor Images { get; }

    /// <summary>[N], int64.</summary>
    public Tensor Labels { get; }

    /// <summary>K names; a label is a position here.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public Preprocessing Preprocessing { get; }

    /// <summary>N.</summary>
    public int Count => (int)Images.shape[0];

    /// <summary>The images and their labels, batch by batch; the last batch may be smaller.</summary>
    /// <param name="batchSize">B.</param>
    /// <param name="shuffleSeed">The same seed gives the same order on every machine; null keeps the set's order.</param>
    /// <returns>
    /// Images [B, C, H, W], float32 in [0, 1], and labels [B], on the set's device.
    /// A batch is disposed when the next one is taken.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not positive.</exception>
    public IEnumerable<(Tensor Images, Tensor Labels)> Batches(int batchSize, int? shuffleSeed = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return Iterate();

        IEnumerable<(Tensor, Tensor)> Iterate()
        {
            foreach (var positions in Order.Of(Count, shuffleSeed).Chunk(batchSize))
            {
                var (images, labels) = Read(positions);
                using (images)
                using (labels)
                    yield return (images, labels);
            }
        }
    }

    /// <inheritdoc/>
    public (Tensor Images, Tensor Labels) Read(long[] positions, RandomCrop? crop = null)
    {
        var (images, labels) = Pick(positions);
        using var scope = NewDisposeScope();
        images.MoveToOtherDisposeScope(scope);
        if (images.dtype != ScalarType.Float32)
            images = images.to(ScalarType.Float32).div_(255);
        if (crop is not null)
            images = stack(images.unbind(0).Select((image, i) => Preprocessing.Fit(image, crop, i))).to(images.device);
        return (images.MoveToOuterDisposeScope(), labels);
    }

    /// <summary>The images at these positions, copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A position lies outside the set.</exception>
    public ImageSet Select(IEnumerable<long> indices)
    {
        var (images, labels) = Pick([.. indices]);
        return new(images, labels, this);
    }

    /// <summary>The images of some of the classes, copied.</summary>
    /// <param name="classNames">K' of the set's class names, each once; a label becomes a position here.</param>
    /// <exception cref="ArgumentException">There are no names, one is none of the set's, or one stands there twice.</exception>
    public ImageSet OfClasses(params IReadOnlyList<string> classNames)
    {
        if (classNames.Count == 0 || classNames.Distinct().Count() < classNames.Count || classNames.Except(ClassNames).Any())
            throw new ArgumentException($"Found {string.Join(", ", classNames)}; expected some of {string.Join(", ", ClassNames)}, each once.", nameof(classNames));
        using var scope = NewDisposeScope();
        var places = tensor(ClassNames.Select(name => (long)classNames.ToList().IndexOf(name)).ToArray(), device: Labels.device);
        var labels = places.index_select(0, Labels);
        var kept = labels.ge(0).nonzero().squeeze(1);
        return new(
            Images.index_select(0, kept).MoveToOuterDisposeScope(), labels.index_select(0, kept).MoveToOuterDisposeScope(), classNames, Preprocessing.Normalization);
    }

    /// <summary>Parts the images at random, for validation for instance.</summary>
    /// <param name="count">How many images are set aside.</param>
    /// <param name="seed">The same seed chooses the same images on every machine.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of the two would be empty.</exception>
    public (ImageSet Remaining, ImageSet Aside) RandomSplit(int count, int seed)
    {
        var (remaining, aside) = Order.Split(Count, count, seed);
        return (Select(remaining), Select(aside));
    }

    /// <summary>Parts the images at random, for validation for instance; each of the two gets at least one.</summary>
    /// <param name="share">The share of the images that is set aside, between 0 and 1.</param>
    /// <param name="seed">The same seed chooses the same images on every machine.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not between 0 and 1, or there are fewer than two images.</exception>
    public (ImageSet Remaining, ImageSet Aside) RandomSplit(double share, int seed) => RandomSplit(Order.Count(Count, share), seed);

    /// <summary>The same set on another device.</summary>
    public ImageSet To(Device device) => new(Images.to(device), Labels.to(device), this);

    (Tensor Images, Tensor Labels) Pick(long[] positions)
    {
        Order.Check(positions, Count);
        using var index = tensor(positions, device: Images.device);
        return (Images.index_select(0, index), Labels.index_select(0, index));
    }
}
