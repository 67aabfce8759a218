using System.Numerics;
using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// Random changes that leave an image's class as it is; all are off until asked for. Each image of a batch is changed in
/// its own way, in this order: crops, flip, RandAugment, erasing.
/// </summary>
public sealed record Augmentation
{
    /// <summary>Cuts the image out of one with a border of so many pixels, at a random place: a shift by at most as many.</summary>
    public int CropPadding { get; init; }

    /// <summary>
    /// Below 1, shows of each picture a rectangle of at least this share of its area, of proportions 3 : 4 to 4 : 3, resized to
    /// the model's size (arXiv:1409.4842; torchvision's RandomResizedCrop): 0.08 is usual for photographs. It is cut out of the
    /// picture as it is stored, while it is read; see <see cref="Crop"/>.
    /// </summary>
    public double ResizedCropScale { get; init; } = 1;

    /// <summary>Mirrors half of the images, left to right.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>How many of the <see cref="Distortions"/> RandAugment applies to each image, one after the other (N of arXiv:1909.13719).</summary>
    public int RandAugmentOps { get; init; }

    /// <summary>
    /// How strong they are at most, from 0, nothing, to 10 (M of arXiv:1909.13719). The strength is drawn anew each time,
    /// as in TrivialAugment (arXiv:2103.10158), so that images that are hardly changed occur as well.
    /// </summary>
    public double RandAugmentMagnitude { get; init; } = 9;

    /// <summary>What RandAugment chooses from, each equally often.</summary>
    public Distortions Distortions { get; init; } = Distortions.All;

    /// <summary>The share of images in which a rectangle is replaced by noise (arXiv:1708.04896).</summary>
    public double ErasingProbability { get; init; }

    /// <summary>What comes in where an image has been moved away, in [0, 1].</summary>
    public double Fill { get; init; }

    // As files of before call what has another name now.
    [JsonInclude]
    double SmallestCrop { init => ResizedCropScale = value; }
    [JsonInclude]
    bool Flip { init => HorizontalFlip = value; }
    [JsonInclude]
    int DistortionCount { init => RandAugmentOps = value; }
    [JsonInclude]
    double DistortionMagnitude { init => RandAugmentMagnitude = value; }

    /// <summary>Which part of each picture of a batch is read: see <see cref="ResizedCropScale"/>.</summary>
    /// <param name="seed">The same seed gives the same parts.</param>
    /// <returns>Null where the whole of each is.</returns>
    public RandomCrop? Crop(long seed) => ResizedCropScale == 1 ? null : (image, height, width) =>
    {
        var random = new Random((int)Seed.Of(seed, image));
        var (down, across) = Sides(ResizedCropScale + (1 - ResizedCropScale) * random.NextDouble(), Proportion(random, 4.0 / 3), height, width);
        var (rows, columns) = (Math.Max((int)Math.Round(down), 1), Math.Max((int)Math.Round(across), 1));
        return (random.Next(height - rows + 1), random.Next(width - columns + 1), rows, columns);
    };

    /// <summary>Changes a batch that has been read, in all but the resized crop.</summary>
    /// <param name="images">[B, C, H, W], float32 in [0, 1], C is 1 or 3; it stays as it is.</param>
    /// <param name="seed">The same images and seed give the same result; no other source of randomness is used.</param>
    /// <returns>[B, C, H, W], float32 in [0, 1].</returns>
    /// <exception cref="ArgumentException">The images are of another shape or type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A property is outside its range.</exception>
    public Tensor Apply(Tensor images, long seed)
    {
        Check(images);
        var choices = Choices(images.shape[1]);
        var plans = new Plan[images.shape[0]];
        for (var i = 0; i < plans.Length; i++)
            plans[i] = Draw(new((int)Seed.Of(seed, i)), choices, images.shape[2], images.shape[3]);

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var noise = new Generator((ulong)seed);
        var size = Math.Max((int)(PieceElements / (images.numel() / images.shape[0])), 1);
        var result = empty_like(images);
        for (var start = 0; start < plans.Length; start += size)
        {
            using var piece = NewDisposeScope();
            var some = plans.AsSpan(start, Math.Min(size, plans.Length - start));
            var changed = Move(images.narrow(0, start, some.Length), some);
            for (var round = 0; round < RandAugmentOps; round++)
                Recolor(changed, some, round);
            Erase(changed, some, noise);
            result.narrow(0, start, some.Length).copy_(changed);
        }
        return result.MoveToOuterDisposeScope();
    }

    // 2 MB: what passes through a dozen operations stays in a core's cache.
    const long PieceElements = 1 << 19;

    /// <summary>What is done to one image: where its pixels come from, how its colours change, what is erased.</summary>
    readonly record struct Plan(Matrix3x2 Move, (Distortions Kind, float Strength)[] Distorted, (long Top, long Left, long Height, long Width) Erased);

    Distortions[] Choices(long channels)
    {
        Distortions[] choices = [.. Enum.GetValues<Distortions>().Where(one =>
            BitOperations.IsPow2((int)one) && Distortions.HasFlag(one) && (one != Distortions.Saturation || channels == 3))];
        return choices.Length > 0 || RandAugmentOps == 0
            ? choices
            : throw new ArgumentOutOfRangeException(nameof(Distortions), Distortions, $"Expected one that changes images of {channels} channels.");
    }

    Plan Draw(Random random, Distortions[] choices, long height, long width)
    {
        // Places are pixels from the middle of the image; what is done to the image last is undone first.
        var move = Matrix3x2.Identity;
        if (CropPadding > 0)
            move = Matrix3x2.CreateTranslation(random.Next(-CropPadding, CropPadding + 1), random.Next(-CropPadding, CropPadding + 1));
        if (HorizontalFlip && random.Next(2) == 1)
            move = Matrix3x2.CreateScale(-1, 1) * move;
        var distorted = new (Distortions Kind, float Strength)[RandAugmentOps];
        for (var round = 0; round < distorted.Length; round++)
        {
            var kind = choices[random.Next(choices.Length)];
            var strength = (float)((random.NextDouble() * 2 - 1) * RandAugmentMagnitude / 10);
            distorted[round] = (kind, strength);
            move = (kind switch
            {
                Distortions.Rotate => Matrix3x2.CreateRotation(strength * MathF.PI / 6),
                Distortions.ShearX => new(1, 0, 0.3f * strength, 1, 0, 0),
                Distortions.ShearY => new(1, 0.3f * strength, 0, 1, 0, 0),
                Distortions.TranslateX => Matrix3x2.CreateTranslation(0.45f * strength * width, 0),
                Distortions.TranslateY => Matrix3x2.CreateTranslation(0, 0.45f * strength * height),
                _ => Matrix3x2.Identity,
            }) * move;
        }
        return new(move, distorted, random.NextDouble() < ErasingProbability ? Rectangle(random, height, width) : default);
    }

    static (long Top, long Left, long Height, long Width) Rectangle(Random random, long height, long width)
    {
        var (down, across) = Sides(0.02 + 0.31 * random.NextDouble(), Proportion(random, 10.0 / 3), height, width);
        var (rows, columns) = (Math.Max((long)down, 1), Math.Max((long)across, 1));
        return (random.NextInt64(height - rows + 1), random.NextInt64(width - columns + 1), rows, columns);
    }

    /// <summary>Width over height, from 1 : most to most : 1, as likely wide as tall.</summary>
    static double Proportion(Random random, double most) => Math.Pow(most, random.NextDouble() * 2 - 1);

    /// <summary>The sides of a rectangle with this share of an image's area, cut down to the image where it would not fit.</summary>
    static (double Down, double Across) Sides(double share, double proportion, long height, long width) =>
        (Math.Min(Math.Sqrt(share * height * width / proportion), height), Math.Min(Math.Sqrt(share * height * width * proportion), width));

    void Check(Tensor images)
    {
        if (images.dim() != 4 || images.shape[1] is not (1 or 3) || images.dtype != ScalarType.Float32)
            throw new ArgumentException($"Found {images.dtype} {Shape.Of(images)}, expected float32 [B, C, H, W] with C of 1 or 3.", nameof(images));
        if (images.numel() == 0)
            throw new ArgumentException($"Found shape {Shape.Of(images)}, expected at least one pixel.", nameof(images));
        Bounds.Check(CropPadding, 0, Math.Min(images.shape[2], images.shape[3]), nameof(CropPadding));
        Check();
    }

    /// <summary>Checks what does not depend on the images.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A property is outside its range.</exception>
    internal void Check()
    {
        Bounds.Check(CropPadding, 0, int.MaxValue, nameof(CropPadding));
        Bounds.Check(ResizedCropScale, 0.01, 1, nameof(ResizedCropScale));
        Bounds.Check(RandAugmentOps, 0, 100, nameof(RandAugmentOps));
        Bounds.Check(RandAugmentMagnitude, 0, 10, nameof(RandAugmentMagnitude));
        Bounds.Check(ErasingProbability, 0, 1, nameof(ErasingProbability));
        Bounds.Check(Fill, 0, 1, nameof(Fill));
    }

    /// <summary>Everything that moves pixels, as one map from the places of the result to those of the image, and so resampled once.</summary>
    Tensor Move(Tensor images, ReadOnlySpan<Plan> plans)
    {
        var (height, width) = (images.shape[2], images.shape[3]);
        var theta = new float[plans.Length, 2, 3];
        var any = false;
        for (var i = 0; i < plans.Length; i++)
        {
            var move = plans[i].Move;
            any |= !move.IsIdentity;
            // From pixels to what affine_grid calls places: -1 and 1 are the image's edges.
            (theta[i, 0, 0], theta[i, 0, 1], theta[i, 0, 2]) = (move.M11, move.M21 * height / width, move.M31 * 2 / width);
            (theta[i, 1, 0], theta[i, 1, 1], theta[i, 1, 2]) = (move.M12 * width / height, move.M22, move.M32 * 2 / height);
        }
        if (!any)
            return images.clone();
        var grid = nn.functional.affine_grid(from_array(theta).to(images.device), images.shape, align_corners: false);
        // What lies outside the image counts as 0.
        var moved = nn.functional.grid_sample(images - Fill, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false);
        return moved.add_(Fill).clamp_(0, 1);
    }

    /// <summary>One round's changes of colour, in place: images that drew the same change go through it together.</summary>
    static void Recolor(Tensor images, ReadOnlySpan<Plan> plans, int round)
    {
        var drawn = new List<(Distortions Kind, float Strength, long Position)>();
        for (var i = 0; i < plans.Length; i++)
            if (plans[i].Distorted[round] is var (kind, strength) && Distortions.Color.HasFlag(kind))
                drawn.Add((kind, strength, i));
        foreach (var group in drawn.GroupBy(one => one.Kind))
        {
            using var scope = NewDisposeScope();
            var index = tensor(group.Select(one => one.Position).ToArray(), device: images.device);
            var strengths = tensor(group.Select(one => one.Strength).ToArray(), device: images.device).reshape(-1, 1, 1, 1);
            images.index_copy_(0, index, Recolored(images.index_select(0, index), group.Key, strengths));
        }
    }

    /// <param name="images">[k, C, H, W], which may be overwritten.</param>
    /// <param name="kind">The change.</param>
    /// <param name="strengths">[k, 1, 1, 1], from -1 to 1.</param>
    static Tensor Recolored(Tensor images, Distortions kind, Tensor strengths) => kind switch
    {
        Distortions.Brightness => images.mul_(1 + 0.9 * strengths).clamp_(0, 1),
        Distortions.Contrast => Apart(images, Gray(images).mean([1, 2, 3], keepdim: true), strengths),
        Distortions.Saturation => Apart(images, Gray(images), strengths),
        Distortions.Sharpness => Sharpened(images, strengths),
        Distortions.Posterize => Posterized(images, pow(2, (strengths.abs() * 4).round())),
        Distortions.Solarize => where(images > 1 - strengths.abs(), 1 - images, images),
        _ => AutoContrasted(images),
    };

    static Tensor Apart(Tensor images, Tensor origin, Tensor strengths) => (images - origin).mul_(1 + 0.9 * strengths).add_(origin).clamp_(0, 1);

    static Tensor Gray(Tensor images) => images.shape[1] == 1
        ? images
        : images.narrow(1, 0, 1) * 0.299 + images.narrow(1, 1, 1) * 0.587 + images.narrow(1, 2, 1) * 0.114;

    static Tensor Sharpened(Tensor images, Tensor strengths)
    {
        var (height, width) = (images.shape[2], images.shape[3]);
        if (height < 3 || width < 3)
            return images;
        // PIL's SMOOTH: each pixel counts 5, its neighbours 1 each; the outermost pixels stay.
        var inner = images.narrow(2, 1, height - 2).narrow(3, 1, width - 2);
        var smooth = nn.functional.avg_pool2d(images, 3, 1).mul_(9).add_(inner, 4).div_(13);
        inner.copy_(Apart(inner, smooth, strengths));
        return images;
    }

    static Tensor Posterized(Tensor images, Tensor steps) => images.mul_(255).round_().div_(steps).floor_().mul_(steps).div_(255);

    static Tensor AutoContrasted(Tensor images)
    {
        var low = images.amin([2, 3], keepdim: true);
        var range = images.amax([2, 3], keepdim: true) - low;
        return where(range > 0, (images - low) / range, images);
    }

    static void Erase(Tensor images, ReadOnlySpan<Plan> plans, Generator noise)
    {
        for (var i = 0; i < plans.Length; i++)
            if (plans[i].Erased is (var top, var left, > 0 and var height, var width))
                images[i].narrow(1, top, height).narrow(2, left, width).copy_(rand([images.shape[1], height, width], generator: noise));
    }
}
