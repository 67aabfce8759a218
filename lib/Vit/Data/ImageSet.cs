using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Labelled images, all in memory as one tensor: at the sizes used here, indexing it beats a data loader.</summary>
public sealed class ImageSet : IImageSource
{
    /// <param name="images">[N, C, H, W], uint8 or float32 in [0, 1].</param>
    /// <param name="labels">[N], int64, each a position in <paramref name="classNames"/>.</param>
    /// <param name="classNames">K names.</param>
    /// <exception cref="ArgumentException">Shapes or types do not fit each other.</exception>
    public ImageSet(Tensor images, Tensor labels, IReadOnlyList<string> classNames)
    {
        if (images.dim() != 4 || images.dtype is not (ScalarType.Byte or ScalarType.Float32))
            throw new ArgumentException($"Found {images.dtype} {Shape.Of(images)}, expected uint8 or float32 [N, C, H, W].", nameof(images));
        if (labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != images.shape[0])
            throw new ArgumentException($"Found {labels.dtype} {Shape.Of(labels)}, expected int64 [{images.shape[0]}].", nameof(labels));
        (Images, Labels, ClassNames) = (images, labels, classNames);
    }

    /// <summary>[N, C, H, W], uint8 or float32 in [0, 1].</summary>
    public Tensor Images { get; }

    /// <summary>[N], int64.</summary>
    public Tensor Labels { get; }

    /// <summary>K names; a label is a position here.</summary>
    public IReadOnlyList<string> ClassNames { get; }

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
    public (Tensor Images, Tensor Labels) Read(long[] positions)
    {
        var (images, labels) = Pick(positions);
        if (images.dtype == ScalarType.Float32)
            return (images, labels);
        using (images)
        {
            var floats = images.to(ScalarType.Float32);
            return (floats.div_(255), labels);
        }
    }

    /// <summary>The images at these positions, copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A position lies outside the set.</exception>
    public ImageSet Select(IEnumerable<long> indices)
    {
        var (images, labels) = Pick([.. indices]);
        return new(images, labels, ClassNames);
    }

    /// <summary>Sets images aside, for validation for instance, chosen at random.</summary>
    /// <param name="count">How many to set aside.</param>
    /// <param name="seed">The same seed chooses the same images on every machine.</param>
    /// <exception cref="ArgumentOutOfRangeException">Nothing would be set aside, or nothing left.</exception>
    public (ImageSet Remaining, ImageSet Aside) SetAside(int count, int seed)
    {
        var (remaining, aside) = Order.SetAside(Count, count, seed);
        return (Select(remaining), Select(aside));
    }

    /// <summary>The same set on another device.</summary>
    public ImageSet To(Device device) => new(Images.to(device), Labels.to(device), ClassNames);

    (Tensor Images, Tensor Labels) Pick(long[] positions)
    {
        Order.Check(positions, Count);
        using var index = tensor(positions, device: Images.device);
        return (Images.index_select(0, index), Labels.index_select(0, index));
    }
}
