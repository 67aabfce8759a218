using Vit.Data;
using Vit.Training;
using static TorchSharp.torch;

namespace Vit.Weights;

/// <summary>A model with published weights, and what belongs to them.</summary>
/// <typeparam name="TModel">The kind of model.</typeparam>
public sealed class PretrainedModel<TModel> : IDisposable where TModel : nn.Module<Tensor, Tensor>
{
    const int AtOnce = 32;

    /// <summary>The model, in evaluation mode.</summary>
    public required TModel Model { get; init; }

    /// <summary>Whose names the checkpoint had.</summary>
    public required CheckpointKind Kind { get; init; }

    /// <summary>One for each of the K classes.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>How pictures become what the model takes.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>What did not fit; empty unless the load was not strict.</summary>
    public required WeightMismatch Mismatch { get; init; }

    /// <summary>What was guessed, or read otherwise than it stands in the files, such as names with the prefix of another program.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>Names what is in a picture.</summary>
    /// <param name="path">A PNG, JPEG or WebP file.</param>
    /// <param name="most">How many classes to return.</param>
    /// <returns>The most probable classes, with probabilities from 0 to 1, the most probable first.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no picture.</exception>
    public IReadOnlyList<(string Class, float Probability)> Classify(string path, int most = 5) =>
        Answers(() => Preprocessing.Load(path), most)[0];

    /// <summary>Names what is in each of many pictures, of which some go through the model together.</summary>
    /// <param name="paths">PNG, JPEG or WebP files.</param>
    /// <param name="most">How many classes to return of each.</param>
    /// <returns>For each picture, in order, what <see cref="Classify(string, int)"/> returns.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A file is no picture.</exception>
    public IReadOnlyList<IReadOnlyList<(string Class, float Probability)>> Classify(IEnumerable<string> paths, int most = 5) =>
        [.. paths.Chunk(AtOnce).SelectMany(some => Answers(() => cat([.. some.Select(path => Preprocessing.Load(path))]), most))];

    /// <inheritdoc cref="Classify(string, int)"/>
    /// <param name="image">[C, H, W], float in [0, 1], of any size.</param>
    /// <param name="most">How many classes to return.</param>
    public IReadOnlyList<(string Class, float Probability)> Classify(Tensor image, int most = 5) =>
        Answers(() => Preprocessing.Apply(image), most)[0];

    List<IReadOnlyList<(string Class, float Probability)>> Answers(Func<Tensor> input, int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        var answers = new List<IReadOnlyList<(string, float)>>();
        using var pause = new CollectorPause();
        Uninterrupted.Run(() =>
        {
            using var work = CollectorPause.Work();
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            var count = Math.Min(most, ClassNames.Count);
            var (values, indices) = Evaluation.LogitsOf(Model, input(), ClassNames.Count).softmax(-1).topk(count);     // [B, count]
            var named = indices.cpu().data<long>().ToArray().Zip(values.cpu().data<float>().ToArray(), (index, probability) => (ClassNames[(int)index], probability));
            answers.AddRange(named.Chunk(count));
        });
        return answers;
    }

    /// <summary>Disposes the model.</summary>
    public void Dispose() => Model.Dispose();
}
