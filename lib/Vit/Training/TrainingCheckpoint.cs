using System.Text.Encodings.Web;
using System.Text.Json;
using Vit.Data;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>
/// A training at the end of a step, in one safetensors file: the model (<c>model.NAME</c>), its moving average
/// (<c>average.NAME</c>), the optimiser's moments (<c>optimizer.NAME</c>), and in the metadata the recipe, the model's
/// configuration, the class names, the preprocessing and the place in the schedule. All randomness follows from the recipe's
/// seed and the step. <see cref="Pretrained.Load(string, PretrainedOptions?)"/> opens it as it does any other model.
/// </summary>
public sealed class TrainingCheckpoint
{
    const string Format = "vit-training", FormatVersion = "1", Description = "model";
    const string Model = "model.", Average = "average.", Optimizer = "optimizer.";

    static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    readonly string? description;

    TrainingCheckpoint(string path, Recipe recipe, TrainingState state, string? description) =>
        (File, Recipe, State, this.description) = (path, recipe, state, description);

    /// <summary>Its path.</summary>
    public string File { get; }

    /// <summary>What the training followed.</summary>
    public Recipe Recipe { get; }

    /// <summary>Steps since the start.</summary>
    public long Step => State.Step;

    /// <summary>One record for each epoch that is done.</summary>
    public IReadOnlyList<EpochRecord> History => State.History;

    /// <summary>The names of the classes.</summary>
    public IReadOnlyList<string> ClassNames => State.ClassNames;

    internal TrainingState State { get; }

    /// <summary>Whether a file is a checkpoint of a training.</summary>
    internal static bool Is(TensorFile file) => file is SafeTensorsFile { Metadata: var metadata } && metadata.ContainsKey(Format);

    /// <summary>Reads what a checkpoint says of itself.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or no checkpoint of a training.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static TrainingCheckpoint Open(string path)
    {
        using var file = new SafeTensorsFile(path);
        if (file.Metadata.GetValueOrDefault(Format) is not FormatVersion)
            throw InvalidFile.Because(path, file.Metadata.GetValueOrDefault(Format) is string other ? $"a training of version {other}" : "no training", $"a training of version {FormatVersion}");
        try
        {
            var state = JsonSerializer.Deserialize<TrainingState>(file.Metadata.GetValueOrDefault("state") ?? "null", Json)
                ?? throw new InvalidDataException("found no state in its metadata, expected one.");
            if (state.History.Count != state.Epochs || state.History.Contains(null) || state.ClassNames.Contains(null))
                throw new InvalidDataException($"found {state.Epochs} epochs in its state, and {state.History.Count(it => it is not null)} records of them, expected one of each.");
            if (state.Step < state.StepsInEpoch || state.StepsInEpoch < 0)
                throw new InvalidDataException($"found {state.StepsInEpoch} steps of an epoch in its state, expected 0 to {state.Step}, those of all.");
            state.Preprocessing?.Check();
            return new(path, Recipe.FromJson(file.Metadata.GetValueOrDefault("recipe") ?? "null"), state, file.Metadata.GetValueOrDefault(Description));
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{path}: its state cannot be read: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>The model that was trained, in evaluation mode, with the weights whose numbers were reported.</summary>
    /// <exception cref="InvalidDataException">The file does not tell what model it is, or another one than its weights.</exception>
    internal (nn.Module<Tensor, Tensor> Model, Preprocessing Preprocessing) CreateModel()
    {
        if (description is null || State.Preprocessing is not { } preprocessing)
            throw InvalidFile.Because(File, "a training of a model that is none of this library's, or of a time when that was not noted", "one of this library's: make the model, and fill it by TrainingCheckpoint.LoadWeights");
        nn.Module<Tensor, Tensor>? model = null;
        try
        {
            using (var file = new SafeTensorsFile(File))
                model = ModelDescription.Create(description, file.Tensors.Values.Sum(tensor => tensor.Length));
            LoadWeights(model);
            model.eval();
            return (model, preprocessing);
        }
        catch (Exception exception)
        {
            model?.Dispose();
            throw exception is JsonException || exception is InvalidDataException && model is null
                ? new InvalidDataException($"{File}: its model cannot be made: {exception.Message}", exception)
                : exception;
        }
    }

    /// <summary>Copies the weights into a model.</summary>
    /// <param name="model">Of the kind that was trained.</param>
    /// <param name="averaged">The moving average, where the training kept one; otherwise the weights of the last step.</param>
    /// <exception cref="InvalidDataException">The checkpoint is of another model; the message names what does not fit.</exception>
    public void LoadWeights(nn.Module model, bool averaged = true)
    {
        using var file = new SafeTensorsFile(File);
        Fill(file, averaged && file.Tensors.Keys.Any(name => name.StartsWith(Average, StringComparison.Ordinal)) ? Average : Model, model.state_dict());
    }

    internal void Load(nn.Module model, AdamW optimizer, ExponentialMovingAverage? average)
    {
        using var file = new SafeTensorsFile(File);
        var expected = Named(model, optimizer, average);
        using var step = expected[Optimizer + "step"];
        foreach (var name in file.Tensors.Keys)
            if (!expected.ContainsKey(name))
                throw InvalidFile.Because(File, $"'{name}'", "none of this name in this model's training");
        Fill(file, "", expected);
        // The moments are the optimiser's own, and filled; the step is a copy, which it takes from there.
        optimizer.LoadState(expected.Where(pair => pair.Key.StartsWith(Optimizer, StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[Optimizer.Length..], pair => pair.Value));
    }

    internal static void Save(string path, nn.Module model, AdamW optimizer, ExponentialMovingAverage? average, Recipe recipe, TrainingState state)
    {
        var tensors = Named(model, optimizer, average);
        using var step = tensors[Optimizer + "step"];
        var metadata = new Dictionary<string, string>
        {
            [Format] = FormatVersion,
            ["recipe"] = recipe.ToJson(),
            ["state"] = JsonSerializer.Serialize(state, Json),
        };
        if (ModelDescription.Of(model) is string description)
            metadata[Description] = description;
        SafeTensors.Save(path, tensors, metadata);
    }

    static Dictionary<string, Tensor> Named(nn.Module model, AdamW optimizer, ExponentialMovingAverage? average) => new(
        Under(Model, model.state_dict()).Concat(Under(Average, average?.State ?? new Dictionary<string, Tensor>())).Concat(Under(Optimizer, optimizer.State)));

    static IEnumerable<KeyValuePair<string, Tensor>> Under(string prefix, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        tensors.Select(pair => KeyValuePair.Create(prefix + pair.Key, pair.Value));

    // All is compared before anything is copied.
    void Fill(SafeTensorsFile file, string prefix, IReadOnlyDictionary<string, Tensor> targets)
    {
        foreach (var (name, target) in targets)
            if (!file.Tensors.TryGetValue(prefix + name, out var stored))
                throw InvalidFile.Because(File, $"no tensor '{prefix + name}'", Shape.Of(target));
            else if (!stored.Shape.SequenceEqual(target.shape) || stored.Type != target.dtype)
                throw InvalidFile.Because(File, $"'{prefix + name}' of {stored.Type} {Shape.Of(stored.Shape)}", $"{target.dtype} {Shape.Of(target)}");
        using var noGradients = no_grad();
        foreach (var (name, target) in targets)
            file.ReadInto(prefix + name, target);
    }
}
