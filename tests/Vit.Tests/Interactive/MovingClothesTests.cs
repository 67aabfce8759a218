using Vit.Data;
using Vit.Interactive;
using static TorchSharp.torch;

namespace Vit.Tests.Interactive;

public sealed class MovingClothesTests
{
    // A single bright square of pixels tells where a garment is.
    static ImageSet Dot()
    {
        var image = zeros(1, 1, 28, 28, ScalarType.Byte);
        image.narrow(2, 0, 2).narrow(3, 0, 2).fill_(200);
        return new(image, zeros(1, int64), ["dot"]);
    }

    static (int Row, int Column)[] Places(Tensor film) =>
        [.. film.unbind(0).Select(frame => frame.flatten().argmax().item<long>()).Select(at => ((int)at / 32, (int)at % 32))];

    // From one frame to the next, the short way round.
    static (int Down, int Right)[] Steps(Tensor film)
    {
        var places = Places(film);
        static int Short(int way) => (way + 48) % 32 - 16;
        return [.. places.Zip(places.Skip(1), (a, b) => (Short(b.Row - a.Row), Short(b.Column - a.Column)))];
    }

    [Theory]
    [InlineData(0, "right", 0, 2, 0, 2)]
    [InlineData(1, "right then down", 0, 2, 2, 0)]
    [InlineData(2, "right then up", 0, 2, -2, 0)]
    [InlineData(3, "down", 2, 0, 2, 0)]
    [InlineData(7, "left then up", 0, -2, -2, 0)]
    [InlineData(11, "up then left", -2, 0, 0, -2)]
    public void A_garment_goes_where_its_class_says(int label, string name, int down, int right, int thenDown, int thenRight)
    {
        using var scope = NewDisposeScope();
        var films = MovingClothes.Films(Dot(), 24, seed: 3);
        Assert.Equal(name, films.ClassNames[label]);
        foreach (var film in new[] { label, label + 12 })
        {
            Assert.Equal(label, films.Labels[film].item<long>());
            var steps = Steps(films.Images[film]);
            Assert.All(steps[..3], step => Assert.Equal((down, right), step));
            Assert.Equal(((down + thenDown) / 2, (right + thenRight) / 2), steps[3]);
            Assert.All(steps[4..], step => Assert.Equal((thenDown, thenRight), step));
        }
    }

    [Fact]
    public void A_film_played_backwards_is_one_of_the_class_that_is_named()
    {
        using var scope = NewDisposeScope();
        var films = MovingClothes.Films(Dot(), 12, seed: 4).Images;
        for (var label = 0; label < 12; label++)
        {
            var backwards = MovingClothes.Backwards(label);
            Assert.Equal(Steps(films[backwards]), Steps(films[label].flip(0)));
            Assert.Equal(label, MovingClothes.Backwards(backwards));
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => MovingClothes.Backwards(12));
        Assert.Throws<ArgumentOutOfRangeException>(() => MovingClothes.Backwards(-1));
    }

    [Fact]
    public void In_every_frame_every_place_is_as_likely()
    {
        using var scope = NewDisposeScope();
        var films = MovingClothes.Films(Dot(), 12 * 1_000, seed: 5);
        for (var label = 0; label < 12; label++)
            foreach (var frame in new[] { 0, 7 })
            {
                var rows = films.Images.slice(0, label, films.Count, 12).select(1, frame).amax([2]).ge(200).to(float32).mean([0]);
                // 1,000 films over 32 rows: a deviation of 0.0055; five of them.
                Assert.InRange((rows - 1 / 32f).abs().max().item<float>(), 0, 0.0275);
            }
    }

    [Fact]
    public void The_seed_decides_and_no_garment_is_cut()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var images = randint(0, 256, [5, 1, 28, 28], ScalarType.Byte);
        ImageSet clothes = new(images, zeros(5, int64), ["x"]);
        var films = MovingClothes.Films(clothes, 30, seed: 6);
        Assert.Equal([30, 8, 32, 32], films.Images.shape);
        Assert.True(films.Images.eq(MovingClothes.Films(clothes, 30, seed: 6).Images).all().item<bool>());
        Assert.False(films.Images.eq(MovingClothes.Films(clothes, 30, seed: 7).Images).all().item<bool>());
        // The same pixels in every frame, elsewhere.
        var sums = films.Images.to(int64).sum([2, 3]);
        Assert.True(sums.eq(sums.narrow(1, 0, 1)).all().item<bool>());
        var halved = nn.functional.avg_pool2d(images.to(float32), 2).round().to(int64).sum([1, 2, 3]);
        Assert.All(sums.select(1, 0).data<long>().ToArray(), sum => Assert.Contains(sum, halved.data<long>().ToArray()));
    }

    [Fact]
    public void Clothes_of_another_kind_are_refused()
    {
        using var scope = NewDisposeScope();
        ImageSet small = new(zeros(1, 1, 14, 14, ScalarType.Byte), zeros(1, int64), ["x"]);
        Assert.Contains("expected uint8 [N, 1, 28, 28]", Assert.Throws<ArgumentException>(() => MovingClothes.Films(small, 1, 1)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => MovingClothes.Films(Dot(), 0, 1));
        Assert.Contains("a step of 3 pixels", Assert.Throws<ArgumentException>(() => MovingClothes.Films(Dot(), 1, 1, step: 3)).Message);
    }
}
