using System.Numerics;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// Random changes that leave an image's class as it is; all are off until asked for. Each image of a batch is changed in
/// its own way, in this order: crop, flip, RandAugment, erasing.
/// </summary>
public sealed record Augmentation
{
    /// <summary>Cuts the image out of one with a border of so many pixels, at a random place: a shift by at most as many.</summary>
    public int CropPadding { get; init; }

    /// <summary>
    /// Below 1, cuts out a rectangle of at least this share of the area, of proportions 3 : 4 to 4 : 3, and resizes it to
    /// the image's size (arXiv:1409.4842): 0.08 is usual for photographs.
    /// </summary>
    public double SmallestCrop { get; init; } = 1;

    /// <summary>Mirrors half of the images, left to right.</summary>
    public bool Flip { get; init; }

    /// <summary>How many of the <see cref="Distortions"/> RandAugment applies to each image, one after the other (N of arXiv:1909.13719).</summary>
    public int DistortionCount { get; init; }

    /// <summary>How strong they are, from 0, nothing, to 10 (M of arXiv:1909.13719).</summary>
    public double DistortionMagnitude { get; init; } = 9;

    /// <summary>What RandAugment chooses from, each equally often.</summary>
    public Distortions Distortions { get; init; } = Distortions.All;

    /// <summary>The share of images in which a rectangle is replaced by noise (arXiv:1708.04896).</summary>
    public double ErasingProbability { get; init; }

    /// <summary>What comes in where an image has been moved away, in [0, 1].</summary>
    public double Fill { get; init; }

    /// <summary>Changes a batch.</summary>
    /// <param name="images">[B, C, H, W], float32 in [0, 1], C is 1 or 3; it stays as it is.</param>
    /// <param name="seed">The same images and seed give the same result; no other source of randomness is used.</param>
    /// <returns>[B, C, H, W], float32 in [0, 1].</returns>
    /// <exception cref="ArgumentException">The images are of another shape or type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A property is outside its range.</exception>
    public Tensor Apply(Tensor images, long seed)
    {
        Check(images);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var random = new Random((int)seed);
        var chosen = Choose(random, images.shape);
        var changed = Move(random, images, chosen);
        for (var round = 0; round < DistortionCount; round++)
            Recolor(random, changed, chosen, round);
        Erase(random, changed, seed);
        return changed.MoveToOuterDisposeScope();
    }

    void Check(Tensor images)
    {
        if (images.dim() != 4 || images.shape[1] is not (1 or 3) || images.dtype != ScalarType.Float32)
            throw new ArgumentException($"Found {images.dtype} [{string.Join(", ", images.shape)}], expected float32 [B, C, H, W] with C of 1 or 3.", nameof(images));
        Within(CropPadding, 0, Math.Min(images.shape[2], images.shape[3]), nameof(CropPadding));
        Within(SmallestCrop, 0.01, 1, nameof(SmallestCrop));
        Within(DistortionCount, 0, 100, nameof(DistortionCount));
        Within(DistortionMagnitude, 0, 10, nameof(DistortionMagnitude));
        Within(ErasingProbability, 0, 1, nameof(ErasingProbability));
        Within(Fill, 0, 1, nameof(Fill));

        static void Within(double value, double low, double high, string name)
        {
            if (!(value >= low && value <= high))
                throw new ArgumentOutOfRangeException(name, value, $"Expected {low} to {high}.");
        }
    }

    /// <summary>[B][N]: what each image gets in each round.</summary>
    Distortions[][] Choose(Random random, long[] shape)
    {
        var choices = Enum.GetValues<Distortions>()
            .Where(one => BitOperations.IsPow2((int)one) && Distortions.HasFlag(one) && (one != Distortions.Saturation || shape[1] == 3))
            .ToArray();
        if (choices.Length == 0 && DistortionCount > 0)
            throw new ArgumentOutOfRangeException(nameof(Distortions), Distortions, $"Expected one that changes images of {shape[1]} channels.");
        var chosen = new Distortions[shape[0]][];
        for (var i = 0; i < chosen.Length; i++)
            chosen[i] = [.. Enumerable.Range(0, DistortionCount).Select(_ => choices[random.Next(choices.Length)])];
        return chosen;
    }

    /// <summary>Everything that moves pixels, as one map from the places of the result to those of the image, and so resampled once.</summary>
    Tensor Move(Random random, Tensor images, Distortions[][] chosen)
    {
        var (height, width) = (images.shape[2], images.shape[3]);
        var strength = DistortionMagnitude / 10;
        var moves = new Matrix3x2[chosen.Length];
        for (var i = 0; i < moves.Length; i++)
        {
            // Places are pixels from the middle of the image; what is done to the image last is undone first.
            var move = Matrix3x2.Identity;
            if (CropPadding > 0)
                move *= Matrix3x2.CreateTranslation(random.Next(-CropPadding, CropPadding + 1), random.Next(-CropPadding, CropPadding + 1));
            if (SmallestCrop < 1)
                move = Crop(random, height, width) * move;
            if (Flip && random.Next(2) == 1)
                move = Matrix3x2.CreateScale(-1, 1) * move;
            foreach (var one in chosen[i])
                move = (one switch
                {
                    Distortions.Rotate => Matrix3x2.CreateRotation(Signed(Math.PI / 6)),
                    Distortions.ShearX => new(1, 0, Signed(0.3), 1, 0, 0),
                    Distortions.ShearY => new(1, Signed(0.3), 0, 1, 0, 0),
                    Distortions.TranslateX => Matrix3x2.CreateTranslation(Signed(0.45 * width), 0),
                    Distortions.TranslateY => Matrix3x2.CreateTranslation(0, Signed(0.45 * height)),
                    _ => Matrix3x2.Identity,
                }) * move;
            moves[i] = move;
        }
        if (moves.All(move => move.IsIdentity))
            return images.clone();

        var theta = new float[moves.Length, 2, 3];
        for (var i = 0; i < moves.Length; i++)
        {
            var move = moves[i];
            (theta[i, 0, 0], theta[i, 0, 1], theta[i, 0, 2]) = (move.M11, move.M21 * height / width, move.M31 * 2 / width);
            (theta[i, 1, 0], theta[i, 1, 1], theta[i, 1, 2]) = (move.M12 * width / height, move.M22, move.M32 * 2 / height);
        }
        var grid = nn.functional.affine_grid(from_array(theta).to(images.device), images.shape, align_corners: false);
        var around = Fill == 0 ? images : images - Fill;
        var moved = nn.functional.grid_sample(around, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false);
        return (Fill == 0 ? moved : moved.add_(Fill)).clamp_(0, 1);

        float Signed(double most) => (float)(random.Next(2) == 0 ? most * strength : -most * strength);
    }

    Matrix3x2 Crop(Random random, long height, long width)
    {
        var area = SmallestCrop + (1 - SmallestCrop) * random.NextDouble();
        var proportion = Math.Exp((random.NextDouble() * 2 - 1) * Math.Log(4.0 / 3));
        // Of the image's own proportions when square; a rectangle that would not fit is cut down to it.
        var across = Math.Min(Math.Sqrt(area * height * width * proportion) / width, 1);
        var down = Math.Min(Math.Sqrt(area * height * width / proportion) / height, 1);
        return Matrix3x2.CreateScale((float)across, (float)down)
            * Matrix3x2.CreateTranslation(
                (float)((random.NextDouble() - 0.5) * (1 - across) * width),
                (float)((random.NextDouble() - 0.5) * (1 - down) * height));
    }

    /// <summary>One round's changes of colour, in place: those images that drew the same change go through it together.</summary>
    void Recolor(Random random, Tensor images, Distortions[][] chosen, int round)
    {
        var strength = DistortionMagnitude / 10;
        foreach (var group in Enumerable.Range(0, chosen.Length)
            .Where(i => Distortions.Color.HasFlag(chosen[i][round]))
            .GroupBy(i => chosen[i][round])
            .OrderBy(group => group.Key))
        {
            var positions = group.Select(i => (long)i).ToArray();
            using var scope = NewDisposeScope();
            var index = tensor(positions, device: images.device);
            var factors = tensor(positions.Select(_ => (float)(1 + (random.Next(2) == 0 ? 0.9 : -0.9) * strength)).ToArray(), device: images.device).reshape(-1, 1, 1, 1);
            var some = images.index_select(0, index);
            images.index_copy_(0, index, group.Key switch
            {
                Distortions.Brightness => some.mul_(factors).clamp_(0, 1),
                Distortions.Contrast => Apart(some, Gray(some).mean([1, 2, 3], keepdim: true), factors),
                Distortions.Saturation => Apart(some, Gray(some), factors),
                Distortions.Sharpness => Sharpen(some, factors),
                Distortions.Posterize => Posterize(some, 1 << (int)Math.Round(4 * strength)),
                Distortions.Solarize => where(some > 1 - strength, 1 - some, some),
                _ => AutoContrast(some),
            });
        }
    }

    static Tensor Apart(Tensor images, Tensor origin, Tensor factors) => (images - origin).mul_(factors).add_(origin).clamp_(0, 1);

    static Tensor Gray(Tensor images) => images.shape[1] == 1
        ? images
        : images.narrow(1, 0, 1) * 0.299 + images.narrow(1, 1, 1) * 0.587 + images.narrow(1, 2, 1) * 0.114;

    static Tensor Sharpen(Tensor images, Tensor factors)
    {
        var (height, width) = (images.shape[2], images.shape[3]);
        if (height < 3 || width < 3)
            return images;
        // PIL's SMOOTH: each pixel counts 5, its neighbours 1 each; the outermost pixels stay.
        var inner = images.narrow(2, 1, height - 2).narrow(3, 1, width - 2);
        var smooth = (nn.functional.avg_pool2d(images, 3, 1) * 9 + inner * 4) / 13;
        inner.copy_(Apart(inner, smooth, factors));
        return images;
    }

    static Tensor Posterize(Tensor images, int step) => images.mul(255).round_().div_(step).floor_().mul_(step / 255.0);

    static Tensor AutoContrast(Tensor images)
    {
        var low = images.amin([2, 3], keepdim: true);
        var range = images.amax([2, 3], keepdim: true) - low;
        return where(range > 0, (images - low) / range, images);
    }

    /// <summary>Rectangles of noise, in place: 0.02 to 0.33 of the area, of proportions 3 : 10 to 10 : 3.</summary>
    void Erase(Random random, Tensor images, long seed)
    {
        if (ErasingProbability == 0)
            return;
        using var generator = new Generator((ulong)seed);
        var (channels, height, width) = (images.shape[1], images.shape[2], images.shape[3]);
        for (var i = 0; i < images.shape[0]; i++)
        {
            if (random.NextDouble() >= ErasingProbability)
                continue;
            var area = (0.02 + 0.31 * random.NextDouble()) * height * width;
            var proportion = Math.Exp((random.NextDouble() * 2 - 1) * Math.Log(10.0 / 3));
            var down = Math.Clamp((long)Math.Round(Math.Sqrt(area * proportion)), 1, height);
            var across = Math.Clamp((long)Math.Round(Math.Sqrt(area / proportion)), 1, width);
            using var scope = NewDisposeScope();
            images[i].narrow(1, random.NextInt64(height - down + 1), down).narrow(2, random.NextInt64(width - across + 1), across)
                .copy_(rand([channels, down, across], generator: generator));
        }
    }
}
