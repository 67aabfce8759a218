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
        CropPadding = 1,
        ResizedCropScale = 0.5,
        HorizontalFlip = true,
        RandAugmentOps = 2,
        ErasingProbability = 0.5,
    };

    static BatchStream Full(IImageSource source, int batchSize, long seed) =>
        new(source, batchSize, seed, Everything, new() { MixUpAlpha = 0.2, CutMixAlpha = 1 }) { LabelSmoothing = 0.1 };

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

    // A source that tells which thread reads, how far, and what that thread is like.
    sealed class Watched(Func<long[], (Tensor, Tensor)> read, int count = 1000) : IImageSource
    {
        public int Count => count;
        public IReadOnlyList<string> ClassNames { get; } = ["a", "b"];
        public Preprocessing Preprocessing { get; } = Preprocessing.Square(4) with { Channels = 1 };
        public SemaphoreSlim Reads { get; } = new(0);
        public (Tensor Images, Tensor Labels) Read(long[] positions, RandomCrop? crop)
        {
            Reads.Release();
            return read(positions);
        }
    }

    /// <summary>A taker that is never at work, as it seems to the one who reads, would let the collector run under its hands.</summary>
    [Fact]
    public void Nothing_is_collected_while_a_thread_reads_or_the_taker_computes()
    {
        var collections = 0;
        // More garbage than a pause has room for in half its time: it is renewed again and again, but only in between.
        (Tensor, Tensor) Littering(long[] positions)
        {
            var before = GC.CollectionCount(0);
            Litter();
            Interlocked.Add(ref collections, GC.CollectionCount(0) - before);
            return Blank(positions);
        }
        static void Litter()
        {
            for (var i = 0; i < 250; i++)
                _ = new byte[40_000];
        }
        var all = GC.CollectionCount(0);
        foreach (var _ in new BatchStream(new Watched(Littering), 50, 0).Epoch(0))
        {
            var before = GC.CollectionCount(0);
            Litter();
            Interlocked.Add(ref collections, GC.CollectionCount(0) - before);
        }
        Assert.Equal(0, collections);
        Assert.InRange(GC.CollectionCount(0) - all, 3, int.MaxValue);
    }

    static (Tensor, Tensor) Blank(long[] positions) => (zeros(positions.Length, 1, 4, 4), zeros(positions.Length, int64));

    [Fact]
    public void Batches_are_made_ahead_on_another_thread_with_one_core_and_without_gradients()
    {
        var threads = get_num_threads();
        var (thread, cores, gradients) = (0, 0, true);
        var source = new Watched(positions =>
        {
            (thread, cores, gradients) = (Environment.CurrentManagedThreadId, get_num_threads(), is_grad_enabled());
            return Blank(positions);
        });
        foreach (var batch in new BatchStream(source, 10, 0).Epoch(0))
        {
            // Nothing more is taken, and yet two more are made, and a third is begun.
            for (var read = 0; read < 4; read++)
                Assert.True(source.Reads.Wait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
            break;
        }
        Assert.Equal(0, source.Reads.CurrentCount);
        Assert.NotEqual(Environment.CurrentManagedThreadId, thread);
        Assert.Equal(1, cores);
        Assert.False(gradients);
        Assert.True(is_grad_enabled());
        Assert.Equal(threads, get_num_threads());
        var later = 0;
        var other = new Thread(() => later = get_num_threads());
        other.Start();
        other.Join();
        Assert.Equal(threads, later);
    }

    [Fact]
    public void What_goes_wrong_on_the_thread_surfaces_where_the_next_batch_is_taken()
    {
        var broken = new Watched(positions => positions.Contains(25) ? throw new InvalidDataException("image 25") : Blank(positions));
        var taken = new List<int>();
        var stream = new BatchStream(broken, 10, 0) { Shuffle = false };
        var failure = Assert.Throws<InvalidDataException>(() => taken.AddRange(stream.Epoch(0).Select(batch => batch.Step)));
        Assert.Equal("image 25", failure.Message);
        Assert.Contains(nameof(Watched), failure.StackTrace);
        Assert.Equal([0, 1], taken);
        Assert.Equal([3, 4], stream.Epoch(0, 3).Take(2).Select(batch => batch.Step));
    }

    [Fact]
    public void A_batch_ends_with_the_next_one_and_leaving_early_leaves_nothing()
    {
        var stream = Full(Numbered(60), 3, seed: 5);
        foreach (var _ in stream.Epoch(0))
        {
        }
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        for (var times = 0; times < 5; times++)
        {
            Tensor? last = null;
            foreach (var batch in stream.Epoch(times))
            {
                Assert.True(last is null || last.IsInvalid);
                last = batch.Images;
                if (batch.Step == 4 * times)
                    break;
            }
            Assert.True(last!.IsInvalid);
        }
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Batches_belong_to_no_scope_and_stay_when_disposed_twice()
    {
        using var scope = NewDisposeScope();
        var set = Numbered(20);
        var before = scope.DisposablesCount;
        foreach (var batch in Full(set, 3, seed: 1).Epoch(0))
        {
            Assert.Equal(before, scope.DisposablesCount);
            batch.Dispose();
        }
        Assert.Equal(before, scope.DisposablesCount);
    }

    [Fact]
    public async Task The_time_waited_grows_while_the_source_holds_the_taker_up()
    {
        using var go = new SemaphoreSlim(0);
        var slow = new Watched(positions =>
        {
            go.Wait();
            return Blank(positions);
        });
        var stream = new BatchStream(slow, 10, 0);
        Assert.Equal(TimeSpan.Zero, stream.Waited);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var taker = Task.Run(() => stream.Epoch(0).Take(1).Count(), TestContext.Current.CancellationToken);
        await slow.Reads.WaitAsync(TestContext.Current.CancellationToken);
        go.Release(int.MaxValue);
        Assert.Equal(1, await taker);
        Assert.InRange(stream.Waited, TimeSpan.FromTicks(1), clock.Elapsed);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var set = Numbered(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchStream(set, 0, 0));
        var stream = new BatchStream(set, 3, 0);
        Assert.Equal(4, stream.StepsPerEpoch);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Epoch(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Epoch(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Epoch(0, 5));
        Assert.Empty(stream.Epoch(0, 4));
    }
}
