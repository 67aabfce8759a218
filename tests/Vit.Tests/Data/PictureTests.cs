using System.Buffers.Binary;
using System.Text;
using Vit.Data;
using Vit.Interactive;
using Vit.Tests.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class PictureTests
{
    static Tensor Noise(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return randint(0, 256, shape, dtype: float32, generator: generator).div(255);
    }

    // A ramp along each side: what lossy formats keep well.
    static Tensor Ramp(long height, long width) => stack([
        linspace(0, 1, width).expand(height, width), linspace(0, 1, height).unsqueeze(1).expand(height, width), full([height, width], 0.5)]);

    [Fact]
    public void Png_keeps_every_byte_of_any_size() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[0, 1000], Gen.Bool).Sample((height, width, seed, gray) =>
        {
            using var scope = NewDisposeScope();
            var image = Noise(seed, gray ? 1 : 3, height, width);
            Assert.True(Picture.Decode(Picture.Encode(image)).allclose(image.expand(3, height, width), atol: 1e-6));
        });

    [Theory]
    [InlineData(PictureFormat.Jpeg)]
    [InlineData(PictureFormat.Webp)]
    public void Lossy_formats_stay_close(PictureFormat format)
    {
        var difference = (Picture.Decode(Picture.Encode(Ramp(48, 64), format)) - Ramp(48, 64)).abs();
        Assert.InRange(difference.mean().item<float>(), 1e-6f, 0.02f);
    }

    [Theory]
    [InlineData("cat.png", 300, 451)]
    [InlineData("coffee.png", 400, 600)]
    [InlineData("astronaut.png", 512, 512)]
    [InlineData("retina.jpg", 1411, 1411)]
    [InlineData("rocket.jpg", 427, 640)]
    public void The_photographs_load(string name, int height, int width)
    {
        using var scope = NewDisposeScope();
        var image = Picture.Load(DataFolder.PathTo("photos", name));
        Assert.Equal([3L, height, width], image.shape);
        Assert.Equal(float32, image.dtype);
        Assert.InRange(image.min().item<float>(), 0, 0.1f);
        Assert.InRange(image.max().item<float>(), 0.7f, 1);
    }

    [Fact]
    public void Gray_weighs_the_colours()
    {
        var primaries = eye(3).reshape(3, 1, 3);
        var gray = Picture.Decode(Picture.Encode(primaries), grayscale: true);
        Assert.Equal([1L, 1, 3], gray.shape);
        Assert.Equal([0.299f, 0.587f, 0.114f], gray.data<float>());
    }

    // EXIF names the sides where the stored first row and first column belong; the corners follow.
    [Theory]
    [InlineData(1, "top left", "top right", "bottom left")]
    [InlineData(2, "top right", "top left", "bottom right")]
    [InlineData(3, "bottom right", "bottom left", "top right")]
    [InlineData(4, "bottom left", "bottom right", "top left")]
    [InlineData(5, "top left", "bottom left", "top right")]
    [InlineData(6, "top right", "bottom right", "top left")]
    [InlineData(7, "bottom right", "top right", "bottom left")]
    [InlineData(8, "bottom left", "top left", "bottom right")]
    public void Pictures_stand_upright(int orientation, string red, string green, string blue)
    {
        var stored = zeros(3, 16, 32);
        stored[0, ..8, ..16] = 1;
        stored[1, ..8, 16..] = 1;
        stored[2, 8.., ..16] = 1;

        foreach (var format in Enum.GetValues<PictureFormat>())
        {
            var upright = Picture.Decode(Exif.WithOrientation(Picture.Encode(stored, format), format, orientation));
            Assert.Equal(orientation <= 4 ? [3L, 16, 32] : [3L, 32, 16], upright.shape);
            Assert.Equal((red, green, blue), (Corner(upright, 0), Corner(upright, 1), Corner(upright, 2)));
        }

        static string Corner(Tensor upright, int channel) => new[] { "top left", "top right", "bottom left", "bottom right" }.Single(corner =>
            upright[channel, corner.StartsWith("top") ? 3 : ^3, corner.EndsWith("left") ? 3 : ^3].item<float>() > 0.5f);
    }

    [Fact]
    public void An_orientation_that_is_none_leaves_the_picture_as_it_is()
    {
        var image = Ramp(4, 6);
        foreach (var orientation in new[] { 0, 9, 255 })
            Assert.Equal([3L, 4, 6], Picture.Decode(Exif.WithOrientation(Picture.Encode(image), PictureFormat.Png, orientation)).shape);
    }

    [Fact]
    public void Resizing_agrees_with_PIL()
    {
        // Pillow 9.4.0, Image.fromarray(a, mode="F").resize((w, h), filter).
        var image = arange(6).unsqueeze(1).to(float32).pow(2).mul(3).add(arange(7).mul(7)).add(arange(6).unsqueeze(1).mul(arange(7)).mul(5)).remainder(17).div(17);
        Check(3, 2, Interpolation.Bilinear, [0.49541f, 0.42916f, 0.58995f, 0.51009f, 0.38089f, 0.52746f]);
        Check(3, 2, Interpolation.Bicubic, [0.48551f, 0.42057f, 0.61509f, 0.51278f, 0.35060f, 0.53165f]);
        Check(4, 11, Interpolation.Bilinear, [
            0.06618f, 0.30348f, 0.60160f, 0.69519f, 0.56150f, 0.25735f, 0.35094f, 0.37634f, 0.31083f, 0.38168f, 0.44853f,
            0.51634f, 0.63815f, 0.76827f, 0.65597f, 0.58408f, 0.54248f, 0.50089f, 0.51990f, 0.61973f, 0.59834f, 0.56863f,
            0.67974f, 0.69162f, 0.65775f, 0.32086f, 0.30719f, 0.53595f, 0.55258f, 0.50862f, 0.38384f, 0.38027f, 0.39216f,
            0.56618f, 0.46257f, 0.31751f, 0.17246f, 0.16377f, 0.25735f, 0.51003f, 0.69452f, 0.78810f, 0.67714f, 0.57353f]);
        Check(4, 11, Interpolation.Bicubic, [
            -0.00225f, 0.25393f, 0.61259f, 0.75566f, 0.57918f, 0.23748f, 0.32523f, 0.37287f, 0.28778f, 0.37046f, 0.44957f,
            0.50040f, 0.64997f, 0.81188f, 0.69323f, 0.60312f, 0.55500f, 0.48161f, 0.51412f, 0.66315f, 0.63400f, 0.58342f,
            0.70953f, 0.74203f, 0.68015f, 0.24071f, 0.23618f, 0.55797f, 0.59854f, 0.50939f, 0.33417f, 0.33591f, 0.37103f,
            0.58180f, 0.47109f, 0.29127f, 0.13366f, 0.11754f, 0.24510f, 0.50776f, 0.72709f, 0.83280f, 0.69520f, 0.56374f]);

        void Check(int height, int width, Interpolation interpolation, float[] expected) =>
            Assert.True(Picture.Resize(image, height, width, interpolation).allclose(tensor(expected).reshape(height, width), rtol: 0, atol: 1e-5));
    }

    [Fact]
    public void Resizing_keeps_constants_and_its_own_size() =>
        Gen.Select(Gen.Int[1, 30], Gen.Int[1, 30], Gen.Int[1, 60], Gen.Int[1, 60], Gen.Enum<Interpolation>()).Sample((height, width, newHeight, newWidth, filter) =>
        {
            using var scope = NewDisposeScope();
            var constant = Picture.Resize(full([2, 3, height, width], 0.3f), newHeight, newWidth, filter);
            Assert.Equal([2L, 3, newHeight, newWidth], constant.shape);
            Assert.True(constant.allclose(full_like(constant, 0.3f), atol: 1e-6));

            var image = Noise(height, 3, height, width);
            Assert.True(Picture.Resize(image, height, width, filter).equal(image).all().item<bool>());
        });

    [Theory]
    [InlineData(30, 50, 20, 33)]
    [InlineData(50, 30, 33, 20)]
    [InlineData(10, 10, 20, 20)]
    public void The_shorter_side_gets_the_length(int height, int width, int newHeight, int newWidth) =>
        Assert.Equal([3L, newHeight, newWidth], Picture.ResizeShorterSide(zeros(3, height, width), 20).shape);

    [Fact]
    public void The_crop_lies_in_the_middle()
    {
        var cropped = Picture.CenterCrop(arange(35).reshape(1, 5, 7), 3);
        Assert.Equal([9L, 10, 11, 16, 17, 18, 23, 24, 25], cropped.contiguous().data<long>());
        var error = Assert.Throws<ArgumentException>(() => Picture.CenterCrop(zeros(3, 5, 7), 6));
        Assert.Contains("5 × 7", error.Message);
        Assert.Contains("at least 6 × 6", error.Message);
    }

    [Fact]
    public void Values_beyond_the_range_are_clamped()
    {
        var pixels = Picture.ToRgb(tensor(new[] { -1f, 0.5f, 2f, float.NaN }).reshape(1, 4));
        Assert.Equal([3L, 1, 4], pixels.shape);
        Assert.Equal([0, 128, 255, 0], pixels[1].flatten().data<byte>().Select(value => (int)value));
    }

    [Fact]
    public void Shapes_of_no_picture_are_refused()
    {
        foreach (var image in new[] { zeros(3), zeros(2, 4, 4), zeros(1, 3, 4, 4), zeros(3, 0, 4) })
            Assert.Contains("expected [3, H, W], [1, H, W] or [H, W]", Assert.Throws<ArgumentException>(() => Picture.ToRgb(image)).Message);
        Assert.Throws<ArgumentException>(() => Picture.Resize(zeros(3, 4, 4, ScalarType.Byte), 2, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Picture.Resize(zeros(3, 4, 4), 0, 2));
    }

    [Fact]
    public void Saving_takes_the_format_from_the_name_and_leaves_one_file()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, magic) in new[] { ("a.png", "89504E47"), ("a.JPG", "FFD8FF"), ("a.webp", "52494646") })
        {
            var path = Path.Combine(folder.FullName, name);
            WholeFiles.AssertReplaced(path, () => Picture.Save(Ramp(8, 8), path));
            Assert.StartsWith(magic, Convert.ToHexString(File.ReadAllBytes(path)));
        }
        Assert.Equal(3, Directory.GetFiles(folder.FullName).Length);
        Assert.Contains("\".gif\"", Assert.Throws<ArgumentException>(() => Picture.Save(Ramp(8, 8), Path.Combine(folder.FullName, "a.gif"))).Message);
    }

    // Pillow's own decoders; its JPEG interpolates colours where ImageSharp repeats them, and its WebP does both.
    [Theory]
    [InlineData("rgb.png", 0, 0)]
    [InlineData("alpha.png", 0, 0)]
    [InlineData("gray.png", 0, 0)]
    [InlineData("gray-alpha.png", 0, 0)]
    [InlineData("bits.png", 0, 0)]
    [InlineData("palette.png", 0, 0)]
    [InlineData("turned.png", 0, 0)]
    [InlineData("lossless.webp", 0, 0)]
    [InlineData("lossless-alpha.webp", 0, 0)]
    [InlineData("turned.webp", 0, 0)]
    [InlineData("444.jpg", 3, 0.5)]
    [InlineData("gray.jpg", 1, 0.1)]
    [InlineData("cmyk.jpg", 4, 0.5)]
    [InlineData("420.jpg", 31, 2.4)]
    [InlineData("progressive.jpg", 31, 2.4)]
    [InlineData("turned.jpg", 31, 2.4)]
    [InlineData("lossy.webp", 3, 0.5)]
    public void Pictures_are_what_Pillow_reads(string name, int largest, double mean)
    {
        using var scope = NewDisposeScope();
        var expected = Fixture.Expected("pictures")[name].permute(2, 0, 1).to(float32);
        var read = Picture.Load(Fixture.PathOf("pictures", name));
        Assert.Equal(expected.shape, read.shape);
        var difference = (read * 255 - expected).abs();
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: at most {difference.max().item<float>():F2} levels, {difference.mean().item<float>():F3} in the mean");
        Assert.InRange(difference.max().item<float>(), 0, largest + 1e-3);
        Assert.InRange(difference.mean().item<float>(), 0, mean + 1e-4);
    }

    public static TheoryData<byte[], string, string> Damaged()
    {
        var (png, jpeg, webp) = (Picture.Encode(Ramp(20, 30)), Picture.Encode(Ramp(20, 30), PictureFormat.Jpeg), Picture.Encode(Ramp(20, 30), PictureFormat.Webp));
        var progressive = File.ReadAllBytes(Fixture.PathOf("pictures", "progressive.jpg"));
        var flipped = (byte[])png.Clone();
        flipped[^30] ^= 1;
        return new()
        {
            { [], "an empty file", "a file with something in it" },
            { Encoding.UTF8.GetBytes("no picture, but text"), "20 bytes of another kind", "a PNG, JPEG or WebP picture" },
            { Encoding.ASCII.GetBytes("GIF89a\u0001\0\u0001\0\0\0\0,\0\0\0\0\u0001\0\u0001\0\0\u0002\u0002D\u0001\0;"), "bytes of another kind", "a PNG, JPEG or WebP picture" },
            { png[..(png.Length / 2)], $"the first {png.Length / 2} bytes of a PNG", "a whole picture" },
            { jpeg[..^100], $"the first {jpeg.Length - 100} bytes of a JPEG", "a whole picture" },
            { progressive[..(progressive.Length * 2 / 5)], "bytes of a JPEG", "a whole picture" },
            { progressive[..(progressive.Length * 99 / 100)], "bytes of a JPEG", "a whole picture" },
            { webp[..^10], $"the first {webp.Length - 10} of {webp.Length} bytes of a WebP", "a whole picture" },
            { flipped, "bytes that cannot be decoded", "a whole picture" },
            { Claiming(jpeg, 30_000, 30_000), "30000 × 30000 pixels", $"at most {Picture.MaxPixels}" },
            { Claiming(jpeg, 5_000, 5_000), $"5000 × 5000 pixels in {jpeg.Length} bytes", "at most 1024 in a byte" },
            { File.ReadAllBytes(Fixture.PathOf("pictures", "animated.webp")), "an animated WebP", "a picture that stands still" },
        };
    }

    // A JPEG's size stands behind the marker of its frame.
    static byte[] Claiming(byte[] jpeg, ushort height, ushort width)
    {
        var file = (byte[])jpeg.Clone();
        var at = file.AsSpan().IndexOf(new byte[] { 0xff, 0xc0 }) + 5;
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(at), height);
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(at + 2), width);
        return file;
    }

    [Theory]
    [MemberData(nameof(Damaged))]
    public void A_damaged_file_gets_its_name_what_was_found_and_what_was_expected(byte[] content, string found, string expected)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("photo.png", content);
        var error = Assert.Throws<InvalidDataException>(() => Picture.Load(path));
        Assert.StartsWith(path + ": found ", error.Message);
        Assert.Contains(found, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Equal("no-such.png", Assert.Throws<FileNotFoundException>(() => Picture.Load("no-such.png")).FileName);
}
