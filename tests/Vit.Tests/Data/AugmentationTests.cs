using System.Numerics;
using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class AugmentationTests
{
    static readonly Distortions[] Each = [.. Enum.GetValues<Distortions>().Where(one => BitOperations.IsPow2((int)one))];

    static readonly Gen<Augmentation> Any =
        from padding in Gen.Int[0, 3]
        from crop in Gen.OneOf(Gen.Const(1.0), Gen.Double[0.05, 1])
        from flip in Gen.Bool
        from count in Gen.Int[0, 3]
        from magnitude in Gen.Double[0, 10]
        from distortions in Gen.Int[1, (int)Distortions.All].Select(bits => (Distortions)bits | Distortions.Rotate)
        from erasing in Gen.Double[0, 1]
        from fill in Gen.Double[0, 1]
        select new Augmentation
        {
            CropPadding = padding,
            ResizedCropScale = crop,
            HorizontalFlip = flip,
            RandAugmentOps = count,
            RandAugmentMagnitude = magnitude,
            Distortions = distortions,
            ErasingProbability = erasing,
            Fill = fill,
        };

    static Tensor Noise(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return rand(shape, generator: generator);
    }

    // One image [1, 1, 28, 28] many times over.
    static Tensor Copies(Tensor image, int count) => image.expand(count, -1, -1, -1).contiguous();

    static Augmentation Only(Distortions distortion, double magnitude = 10) => new() { RandAugmentOps = 1, Distortions = distortion, RandAugmentMagnitude = magnitude };

    [Fact]
    public void It_is_a_function_of_images_and_seed_that_leaves_the_images_alone() =>
        Gen.Select(Any, Gen.Int[1, 5], Gen.Bool.Select(color => color ? 3 : 1), Gen.Int[4, 9], Gen.Int[4, 9], Gen.Long).Sample((augmentation, count, channels, height, width, seed) =>
        {
            using var scope = NewDisposeScope();
            var images = Noise(1, count, channels, height, width);
            var before = images.clone();
            manual_seed(3);
            var first = augmentation.Apply(images, seed);
            var afterwards = rand(1).item<float>();

            Assert.Equal(images.shape, first.shape);
            Assert.True(first.isfinite().all().item<bool>());
            Assert.InRange(first.min().item<float>(), 0, 1);
            Assert.InRange(first.max().item<float>(), 0, 1);
            Assert.Equal(before.bytes, images.bytes);
            Assert.NotEqual(images.Handle, first.Handle);
            manual_seed(4);
            Assert.Equal(first.bytes, augmentation.Apply(images, seed).bytes);
            manual_seed(3);
            Assert.Equal(afterwards, rand(1).item<float>());
        }, iter: 60, threads: 1);

    [Fact]
    public void Nothing_changes_until_asked_for()
    {
        var images = Noise(1, 3, 3, 8, 8);
        Assert.Equal(images.bytes, new Augmentation().Apply(images, 1).bytes);
        foreach (var one in Each.Except([Distortions.AutoContrast, Distortions.Posterize]))
            Close.Equal(images, Only(one, magnitude: 0).Apply(images, 1), 2e-6);
        var bytes = images.mul(255).round().div(255);
        Close.Equal(bytes, Only(Distortions.Posterize, magnitude: 0).Apply(bytes, 1), 1e-6);
    }

    // So large that it is worked on in pieces, which must not show.
    [Fact]
    public void An_image_is_changed_the_same_whatever_comes_after_it()
    {
        using var scope = NewDisposeScope();
        var augmentation = new Augmentation { CropPadding = 4, ResizedCropScale = 0.5, HorizontalFlip = true, RandAugmentOps = 2, ErasingProbability = 0.5 };
        var images = Noise(1, 5, 3, 256, 256);
        var whole = augmentation.Apply(images, 9);
        for (var count = 1; count < 5; count++)
            Close.Equal(whole[..count], augmentation.Apply(images[..count], 9), 1e-6);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.25)]
    public void Crop_with_padding_is_a_shift(double fill)
    {
        using var scope = NewDisposeScope();
        var image = Noise(1, 1, 3, 8, 6);
        var padded = full([1, 3, 12, 10], fill);
        padded[.., .., 2..10, 2..8] = image;
        var results = new Augmentation { CropPadding = 2, Fill = fill }.Apply(Copies(image, 400), 3);
        var seen = new HashSet<(int, int)>();
        foreach (var result in results.unbind(0))
        {
            var shifts = from y in Enumerable.Range(0, 5) from x in Enumerable.Range(0, 5) select (Y: y, X: x);
            seen.Add(Assert.Single(shifts, shift => Close.LargestDifference(padded[0, .., shift.Y..(shift.Y + 8), shift.X..(shift.X + 6)], result) < 1e-5));
        }
        Assert.Equal(25, seen.Count);
    }

    [Fact]
    public void Flip_mirrors_half_of_the_images()
    {
        using var scope = NewDisposeScope();
        var image = Noise(1, 1, 1, 5, 7);
        var flipped = 0;
        foreach (var result in new Augmentation { HorizontalFlip = true }.Apply(Copies(image, 400), 3).unbind(0))
            if (Close.LargestDifference(image[0], result) > 1e-5)
            {
                Close.Equal(image[0].flip(-1), result);
                flipped++;
            }
        Assert.InRange(flipped, 150, 250);
    }

    [Fact]
    public void A_resized_crop_lies_inside_the_picture_and_has_its_share_of_the_area()
    {
        var crop = new Augmentation { ResizedCropScale = 0.2 }.Crop(3)!;
        double smallest = 1, largest = 0;
        for (var i = 0; i < 500; i++)
        {
            var (top, left, height, width) = crop(i, 300, 400);
            Assert.InRange(top, 0, 300 - height);
            Assert.InRange(left, 0, 400 - width);
            Assert.InRange((double)width / height, 3.0 / 4 - 0.02, 4.0 / 3 + 0.02);
            var share = height * width / 120_000.0;
            (smallest, largest) = (Math.Min(smallest, share), Math.Max(largest, share));
        }
        Assert.InRange(smallest, 0.19, 0.25);
        Assert.InRange(largest, 0.9, 1);
        Assert.Equal(crop(7, 300, 400), new Augmentation { ResizedCropScale = 0.2 }.Crop(3)!(7, 300, 400));
        Assert.NotEqual(crop(7, 300, 400), new Augmentation { ResizedCropScale = 0.2 }.Crop(4)!(7, 300, 400));
        Assert.Equal((0, 0, 1, 1), crop(0, 1, 1));
        Assert.Null(new Augmentation().Crop(3));
    }

    [Fact]
    public void Shape_changes_do_what_they_are_called()
    {
        using var scope = NewDisposeScope();
        // A dot right of the middle.
        var image = zeros(1, 1, 41, 41);
        image[0, 0, 20, 30] = 1;
        (double X, double Y) Middle(Tensor result)
        {
            var weights = result[0];
            return ((weights.sum([0]) * (arange(41, dtype: float32) - 20)).sum().item<float>() / weights.sum().item<float>(),
                (weights.sum([1]) * (arange(41, dtype: float32) - 20)).sum().item<float>() / weights.sum().item<float>());
        }
        double Largest(Distortions distortion, Func<(double X, double Y), double> what, Func<(double X, double Y), bool> always)
        {
            var largest = 0.0;
            foreach (var result in Only(distortion).Apply(Copies(image, 200), 5).unbind(0))
                if (result.sum().item<float>() > 0.7)
                {
                    var middle = Middle(result);
                    Assert.True(always(middle), $"{distortion} moved the dot to {middle}.");
                    largest = Math.Max(largest, Math.Abs(what(middle)));
                }
            return largest;
        }
        Assert.InRange(Largest(Distortions.Rotate, at => Math.Atan2(at.Y, at.X) * 180 / Math.PI, at => Math.Abs(Math.Sqrt(at.X * at.X + at.Y * at.Y) - 10) < 0.6), 26, 30.5);
        Assert.InRange(Largest(Distortions.ShearY, at => at.Y, at => Math.Abs(at.X - 10) < 0.1), 2.7, 3.1);
        Assert.InRange(Largest(Distortions.ShearX, at => at.X, at => Math.Abs(at.X - 10) < 0.1 && Math.Abs(at.Y) < 0.1), 9.9, 10.1);
        Assert.InRange(Largest(Distortions.TranslateY, at => at.Y, at => Math.Abs(at.X - 10) < 0.1), 16.5, 18.5);
        Assert.InRange(Largest(Distortions.TranslateX, at => at.X, at => Math.Abs(at.Y) < 0.1), 16.5, 29);
    }

    [Fact]
    public void Color_changes_follow_their_formulas()
    {
        using var scope = NewDisposeScope();
        var image = Noise(2, 1, 3, 9, 9) * 0.5 + 0.25;
        var gray = 0.299 * image[0, 0] + 0.587 * image[0, 1] + 0.114 * image[0, 2];
        Tensor[] Changed(Distortions one) => Only(one).Apply(Copies(image, 30), 1).unbind(0);
        // The factor by which distance from the origin grew is the same for all pixels that were not clamped.
        void Spread(Distortions one, Tensor origin)
        {
            foreach (var result in Changed(one))
            {
                var free = (result > 0) & (result < 1) & ((image[0] - origin).abs() > 0.02);
                var factors = ((result - origin) / (image[0] - origin))[free];
                Assert.InRange(factors.min().item<float>(), 0.09, 1.91);
                Assert.InRange((factors.max() - factors.min()).item<float>(), 0, 1e-3);
            }
        }
        Spread(Distortions.Brightness, zeros_like(image[0]));
        Spread(Distortions.Contrast, gray.mean().expand_as(image[0]));
        Spread(Distortions.Saturation, gray.expand_as(image[0]));
        var inner = image[0, .., 1..8, 1..8];
        var sum = zeros_like(inner);
        for (var y = 0; y < 3; y++)
            for (var x = 0; x < 3; x++)
                sum += image[0, .., y..(y + 7), x..(x + 7)];
        var smooth = image[0].clone();
        smooth[.., 1..8, 1..8] = (sum + 4 * inner) / 13;
        Spread(Distortions.Sharpness, smooth);

        foreach (var result in Changed(Distortions.Posterize))
            Assert.Contains(Enumerable.Range(0, 5), bits => Close.LargestDifference((image[0] * 255).round().to(uint8).bitwise_right_shift(tensor((byte)bits)).bitwise_left_shift(tensor((byte)bits)).to(float32) / 255, result) < 1e-5);
        foreach (var result in Changed(Distortions.Solarize))
        {
            var inverted = (result - (1 - image[0])).abs() < 1e-6;
            Assert.True((inverted | (result == image[0])).all().item<bool>());
            if (inverted.any().item<bool>() && !inverted.all().item<bool>())
                Assert.True((image[0][inverted].min() >= image[0][~inverted].max()).item<bool>());
        }
        foreach (var result in Changed(Distortions.AutoContrast))
        {
            Close.Equal(zeros(3), result.amin([1, 2]));
            Close.Equal(ones(3), result.amax([1, 2]));
        }
        Close.Equal(full([2, 1, 4, 4], 0.3), Only(Distortions.AutoContrast).Apply(full([2, 1, 4, 4], 0.3), 1));
    }

    [Fact]
    public void Erasing_puts_a_rectangle_of_noise_into_its_share_of_the_images()
    {
        using var scope = NewDisposeScope();
        var images = full([500, 3, 20, 30], 2f);   // No noise is 2.
        var erased = 0;
        foreach (var result in new Augmentation { ErasingProbability = 0.3 }.Apply(images.clamp(0, 1), 4).unbind(0))
        {
            var changed = (result != 1).all(0);
            if (!changed.any().item<bool>())
                continue;
            erased++;
            var (rows, columns) = (changed.any(1).sum().item<long>(), changed.any(0).sum().item<long>());
            Assert.Equal(rows * columns, changed.sum().item<long>());
            Assert.InRange(rows * columns, 1, 0.33 * 600);
            Assert.InRange(result.masked_select(changed).std().item<float>(), 0.05, 0.45);
        }
        Assert.InRange(erased, 110, 190);
    }

    [Fact]
    public void Each_distortion_is_chosen_and_none_that_was_not_allowed()
    {
        using var scope = NewDisposeScope();
        var image = Noise(2, 1, 3, 9, 9) * 0.5 + 0.25;
        foreach (var one in Each)
            Assert.True(Close.LargestDifference(image, Only(one).Apply(image, 1)) > 1e-3, $"{one} changed nothing.");
        var gray = image[.., ..1];
        var withSaturation = new Augmentation { RandAugmentOps = 1, Distortions = Distortions.Brightness | Distortions.Saturation };
        var changed = (withSaturation.Apply(Copies(gray, 50), 1) - gray).abs().amax([1, 2, 3]);
        Assert.True((changed > 0).all().item<bool>());
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var images = zeros(1, 1, 4, 4);
        Assert.Contains("[1, 2, 4, 4]", Assert.Throws<ArgumentException>(() => new Augmentation().Apply(zeros(1, 2, 4, 4), 0)).Message);
        Assert.Contains("[1, 4, 4]", Assert.Throws<ArgumentException>(() => new Augmentation().Apply(zeros(1, 4, 4), 0)).Message);
        Assert.Contains("Byte", Assert.Throws<ArgumentException>(() => new Augmentation().Apply(zeros([1, 1, 4, 4], uint8), 0)).Message);
        Assert.Contains("[0, 1, 4, 4]", Assert.Throws<ArgumentException>(() => new Augmentation().Apply(zeros(0, 1, 4, 4), 0)).Message);
        foreach (var (wrong, name) in new (Augmentation, string)[]
        {
            (new() { CropPadding = -1 }, "CropPadding"), (new() { CropPadding = 5 }, "CropPadding"), (new() { ResizedCropScale = 0 }, "ResizedCropScale"),
            (new() { ResizedCropScale = double.NaN }, "ResizedCropScale"), (new() { RandAugmentOps = -1 }, "RandAugmentOps"), (new() { RandAugmentMagnitude = 11 }, "RandAugmentMagnitude"),
            (new() { ErasingProbability = 1.5 }, "ErasingProbability"), (new() { Fill = 2 }, "Fill"),
            (new() { RandAugmentOps = 1, Distortions = Distortions.Saturation }, "Distortions"),
        })
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => wrong.Apply(images, 0)).ParamName);
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        using var scope = NewDisposeScope();
        var images = Noise(1, 6, 3, 8, 8);
        var before = scope.DisposablesCount;
        var augmentation = new Augmentation { CropPadding = 2, HorizontalFlip = true, ResizedCropScale = 0.5, RandAugmentOps = 3, ErasingProbability = 1, Fill = 0.5 };
        using (augmentation.Apply(images, 1))
            Assert.Equal(before + 1, scope.DisposablesCount);
        Assert.Equal(before, scope.DisposablesCount);
    }
}
