using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>
/// Batches to train on, made ready on a thread of their own while the model computes. Which images a batch holds, and
/// what is done to them, depends on seed, epoch and step alone: an epoch taken up again in the middle goes on as if it
/// had never stopped, bit for bit.
/// </summary>
/// <remarks>
/// From the moment a batch is taken until the next one is asked for, what the taker does counts as work during which nothing
/// is collected; see <see cref="CollectorPause"/>.
/// </remarks>
public sealed class BatchStream
{
    // How many batches may lie ready; one more may be in the making.
    const int Ahead = 2;

    readonly IImageSource source;
    readonly int batchSize;
    readonly long seed;
    readonly Augmentation? augmentation;
    readonly Mixing? mixing;

    /// <param name="source">Where the images come from.</param>
    /// <param name="batchSize">B.</param>
    /// <param name="seed">The same seed gives the same batches on every machine.</param>
    /// <param name="augmentation">What is changed at random; null: nothing.</param>
    /// <param name="mixing">How images are mixed; null: not at all.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not positive.</exception>
    public BatchStream(IImageSource source, int batchSize, long seed, Augmentation? augmentation = null, Mixing? mixing = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        (this.source, this.batchSize, this.seed) = (source, batchSize, seed);
        (this.augmentation, this.mixing) = (augmentation, mixing);
    }

    /// <summary>ε: so much of each target is spread over all classes.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>False: every epoch goes through the source in its own order, as a measurement does.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Where the model wants its batches.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Steps of an epoch; the last batch may be smaller than the others.</summary>
    public int StepsPerEpoch => (source.Count + batchSize - 1) / batchSize;

    /// <summary>How long takers have waited for batches, in all epochs together.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The batches of an epoch.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="firstStep">The step to begin with, from 0 to <see cref="StepsPerEpoch"/>.</param>
    /// <returns>
    /// The batches from that step on. A batch is disposed when the next one is taken; leaving the loop stops the thread and
    /// disposes what lay ready. A batch of which the source can read nothing is left out. What goes wrong on the thread is
    /// thrown where the batch is taken.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">Epoch or step lies outside its range.</exception>
    public IEnumerable<Batch> Epoch(int epoch, int firstStep = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstStep);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstStep, StepsPerEpoch);
        return Take(epoch, firstStep);
    }

    IEnumerable<Batch> Take(int epoch, int firstStep)
    {
        using var ready = new BlockingCollection<Batch>(Ahead);
        using var stop = new CancellationTokenSource();
        using var started = new ManualResetEventSlim();
        using var pause = new CollectorPause();
        ExceptionDispatchInfo? failure = null;
        var threads = get_num_threads();
        var maker = new Thread(Work) { IsBackground = true, Name = "batches" };
        maker.Start();
        // libtorch keeps one count of threads for each thread that computes, and the last one set for those to come.
        // The model's threads keep all cores, the maker has one; set again here, so that those to come are not held to one.
        started.Wait();
        set_num_threads(threads);
        try
        {
            while (Next() is { } batch)
                using (batch)
                using (CollectorPause.Work())
                    yield return batch;
            failure?.Throw();
        }
        finally
        {
            stop.Cancel();
            maker.Join();
            while (ready.TryTake(out var batch))
                batch.Dispose();
        }

        Batch? Next()
        {
            var clock = Stopwatch.GetTimestamp();
            ready.TryTake(out var batch, Timeout.Infinite);
            Waited += Stopwatch.GetElapsedTime(clock);
            return batch;
        }

        void Work()
        {
            set_num_threads(1);
            // A thread takes over the count that is set when it first asks: now, before the model's is set again.
            get_num_threads();
            started.Set();
            try
            {
                foreach (var (step, positions) in Order.Of(source.Count, Shuffle ? (int)Seed.Of(seed, epoch) : null).Chunk(batchSize).Index().Skip(firstStep))
                {
                    if (Make(epoch, step, positions) is not { } batch)
                        continue;
                    try
                    {
                        ready.Add(batch, stop.Token);
                    }
                    catch
                    {
                        batch.Dispose();
                        throw;
                    }
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
            finally
            {
                ready.CompleteAdding();
            }
        }
    }

    Batch? Make(int epoch, int step, long[] positions)
    {
        using var work = CollectorPause.Work();
        // Grad mode and scopes belong to a thread: on this one nothing is recorded, and what leaves the outermost scope
        // belongs to nobody but the batch.
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (images, labels) = source.Read(positions, augmentation?.Crop(Seed.Of(seed, epoch, step, 2)));
        if (labels.shape[0] == 0)
            return null;
        (images, labels) = (images.to(Device), labels.to(Device));
        if (augmentation is not null)
            images = augmentation.Apply(images, Seed.Of(seed, epoch, step, 0));
        images = source.Preprocessing.Normalization.Apply(images);
        var classes = source.ClassNames.Count;
        (images, var targets) = mixing is null
            ? (images, Mixing.Targets(labels, classes, LabelSmoothing))
            : mixing.Apply(images, labels, classes, LabelSmoothing, Seed.Of(seed, epoch, step, 1));
        return new(step, images.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope(), targets.MoveToOuterDisposeScope());
    }
}
