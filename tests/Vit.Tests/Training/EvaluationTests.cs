using Vit.Data;
using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Tests.Training;

public class EvaluationTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The image is its own logits.</summary>
    sealed class Identity() : nn.Module<Tensor, Tensor>(nameof(Identity))
    {
        public bool WasTraining;

        public override Tensor forward(Tensor images)
        {
            WasTraining |= training;
            return images.flatten(1);
        }
    }

    static ImageSet Set(float[][] logits, long[] labels) => new(
        stack(logits.Select(row => tensor(row).reshape(1, 1, -1))), tensor(labels), [.. Enumerable.Range(0, logits[0].Length).Select(k => $"{k}")]);

    /// <summary>Images whose logits fall from class to class, of seven.</summary>
    static ImageSet Falling(long[] labels) => Set([.. labels.Select(_ => (float[])[0.6f, 0.5f, 0.4f, 0.3f, 0.2f, 0.1f, 0f])], labels);

    [Fact]
    public void Counts_first_and_first_five()
    {
        using var scope = NewDisposeScope();
        var set = Falling([0, 0, 4, 5, 6]);
        using var model = new Identity();
        model.train();
        foreach (var batchSize in (int[])[1, 2, 5, 100])
        {
            var evaluation = Evaluation.Of(model, set, batchSize: batchSize, cancellation: Stop);
            Assert.Equal((5, 0.4, 0.6), (evaluation.Count, evaluation.Top1, evaluation.Top5));
            Assert.Equal(nn.functional.cross_entropy(set.Images.flatten(1), set.Labels).item<float>(), evaluation.Loss, 1e-5);
            Assert.Equal([1, 0, 0, 0], (double[])[evaluation.Confusion.AccuracyByClass[0], .. evaluation.Confusion.AccuracyByClass.Skip(4)]);
        }
        Assert.False(model.WasTraining);
        Assert.True(model.training);
    }

    /// <summary>Cannot read what is labelled with <paramref name="gone"/>, and skips it.</summary>
    sealed class Holes(ImageSet set, long gone) : IImageSource
    {
        public int Count => set.Count;

        public IReadOnlyList<string> ClassNames => set.ClassNames;

        public Preprocessing Preprocessing => set.Preprocessing;

        public (Tensor Images, Tensor Labels) Read(long[] positions, RandomCrop? crop)
        {
            var (images, labels) = set.Read(positions);
            return (images[labels.ne(gone)], labels[labels.ne(gone)]);
        }
    }

    [Fact]
    public void What_is_skipped_does_not_count()
    {
        using var scope = NewDisposeScope();
        var set = Falling([0, 0, 3, 3, 6]);
        using var model = new Identity();
        var expected = Evaluation.Of(model, set.Select([0, 1, 4]), cancellation: Stop);
        // In batches of two, the second has nothing that can be read.
        var evaluation = Evaluation.Of(model, new Holes(set, gone: 3), batchSize: 2, cancellation: Stop);
        Assert.Equal((3, 2 / 3.0, 2 / 3.0), (evaluation.Count, evaluation.Top1, evaluation.Top5));
        Assert.Equal(expected.Loss, evaluation.Loss, 1e-6);
        Assert.Throws<InvalidDataException>(() => Evaluation.Of(model, new Holes(set.Select([2, 3]), gone: 3), cancellation: Stop));
    }

    [Fact]
    public void Another_number_of_classes_is_refused_with_both()
    {
        using var model = Small.Model();
        var four = new ImageSet(zeros(2, 1, 12, 12), tensor(new long[] { 0, 3 }), ["a", "b", "c", "d"]);
        var message = Assert.Throws<ArgumentException>(() => Evaluation.Of(model, four, cancellation: Stop)).Message;
        Assert.Contains("of 4 classes", message);
        Assert.Contains("[2, 3]", message);
    }

    [Fact]
    public void Nothing_to_look_at_is_refused()
    {
        using var model = new Identity();
        Assert.Throws<ArgumentException>(() => Evaluation.Of(model, Small.Images(3, 0).Select([]), cancellation: Stop));
    }

    [Fact]
    public void The_matrix_counts_every_pair() =>
        Gen.Select(Gen.Int[0, 3].Array[1, 40], Gen.Int[0, 3].Array[40]).Sample((truth, said) =>
        {
            using var scope = NewDisposeScope();
            said = said[..truth.Length];
            var matrix = new ConfusionMatrix(4);
            matrix.Add(tensor(truth.Select(k => (long)k).ToArray()), tensor(said.Select(k => (long)k).ToArray()));
            for (var t = 0; t < 4; t++)
                for (var p = 0; p < 4; p++)
                    Assert.Equal(truth.Zip(said).Count(pair => pair == (t, p)), matrix[t, p]);
            Assert.Equal(truth.Length, matrix.Total);
            Assert.Equal((double)truth.Zip(said).Count(pair => pair.First == pair.Second) / truth.Length, matrix.Accuracy);
            Assert.Equal(matrix[1, 2], matrix.ToTensor()[1, 2].item<long>());
        });

    [Fact]
    public void Labels_that_are_no_classes_are_refused_and_nothing_is_counted()
    {
        using var scope = NewDisposeScope();
        var matrix = new ConfusionMatrix(2);
        Assert.Contains("2", Assert.Throws<ArgumentException>(() => matrix.Add(tensor(new long[] { 0, 2 }), tensor(new long[] { 0, 0 }))).Message);
        Assert.Throws<ArgumentException>(() => matrix.Add(tensor(new long[] { 0 }), tensor(new long[] { 0, 0 })));
        Assert.Equal(0, matrix.Total);
    }

    [Fact]
    public void AMatrixOfManyClasses_TakesTheMemoryOfWhatWasCounted()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var matrix = new ConfusionMatrix(21_843);
        matrix.Add(tensor(new long[] { 5, 21_842 }), tensor(new long[] { 5, 0 }));
        Assert.Equal((1, 1, 0.5), (matrix[5, 5], matrix[21_842, 0], matrix.Accuracy));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 24);
    }
}
