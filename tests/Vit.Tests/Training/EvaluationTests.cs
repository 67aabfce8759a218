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

    [Fact]
    public void Counts_first_and_first_five()
    {
        using var scope = NewDisposeScope();
        float[] falling = [0.6f, 0.5f, 0.4f, 0.3f, 0.2f, 0.1f, 0f];
        var set = Set([falling, falling, falling, falling, falling], [0, 0, 4, 5, 6]);
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
}
