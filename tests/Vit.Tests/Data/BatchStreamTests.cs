using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Tests.Data;

public class BatchStreamTests
{
    // Image i holds i / 255 and has label i modulo the classes.
    static ImageSet Numbered(int count, int classes = 3) => new(
        arange(count).to(ScalarType.Byte).reshape(count, 1, 1, 1).expand(count, 1, 6, 6).contiguous(),
        arange(count, ScalarType.Int64).remainder(classes), [.. Enumerable.Range(0, classes).Select(i => $"{i}")]);

    static readonly Augmentation Everything = new()
    {
        CropPadding = 1, SmallestCrop = 0.5, Flip = true, DistortionCount = 2, ErasingProbability = 0.5,
    };

    static BatchStream Full(IImageSource source, int batchSize, long seed) =>
        new(source, batchSize, seed, Everything, new() { MixUpAlpha = 0.2, CutMixAlpha = 1 }, new([0.5f], [0.5f])) { LabelSmoothing = 0.1 };

    static byte[] Bytes(Tensor tensor) => tensor.bytes.ToArray();

    static List<(int Step, byte[] Images, byte[] Labels, byte[] Targets)> Taken(IEnumerable<Batch> batches) =>
        [.. batches.Select(batch => (batch.Step, Bytes(batch.Images), Bytes(batch.Labels), Bytes(batch.Targets)))];

    [Fact]
    public void An_epoch_holds_every_image_once_beside_its_label() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 50], Gen.Long, Gen.Int[0, 3], Gen.Bool).Sample((count, batchSize, seed, epoch, shuffle) =>
        {
            var stream = new BatchStream(Numbered(count), batchSize, seed) { Shuffle = shuffle };
            var seen = new List<int>();
            foreach (var batch in stream.Epoch(epoch))
            {
                Assert.Equal([Math.Min(batchSize, count - seen.Count), 1L, 6, 6], batch.Images.shape);
                var numbers = batch.Images[TensorIndex.Colon, 0, 2, 3].mul(255).round().to(int32).data<int>().ToArray();
                Assert.Equal(numbers.Select(number => number % 3L), batch.Labels.data<long>());
                Assert.Equal(batch.Labels.data<long>(), batch.Targets.argmax(1).data<long>());
                seen.AddRange(numbers);
            }
            Assert.Equal(stream.StepsPerEpoch, (seen.Count + batchSize - 1) / batchSize);
            Assert.Equal(Enumerable.Range(0, count), shuffle ? seen.Order() : seen);
        }, iter: 30);

    [Fact]
    public void An_epoch_taken_up_in_the_middle_goes_on_bit_for_bit()
    {
        var whole = Taken(Full(Numbered(20), 3, seed: 5).Epoch(2));
        for (var step = 0; step <= whole.Count; step++)
        {
            var resumed = Taken(Full(Numbered(20), 3, seed: 5).Epoch(2, step));
            Assert.Equal(whole.Count - step, resumed.Count);
            Assert.All(resumed.Zip(whole.Skip(step)), pair => Assert.Equivalent(pair.Second, pair.First, strict: true));
        }
    }

    [Fact]
    public void Seed_and_epoch_each_change_the_batches()
    {
        var first = Taken(Full(Numbered(20), 20, seed: 5).Epoch(0))[0];
        Assert.NotEqual(first.Labels, Taken(Full(Numbered(20), 20, seed: 5).Epoch(1))[0].Labels);
        Assert.NotEqual(first.Labels, Taken(Full(Numbered(20), 20, seed: 6).Epoch(0))[0].Labels);
    }
}
