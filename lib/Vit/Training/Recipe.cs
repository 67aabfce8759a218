using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Vit.Data;

namespace Vit.Training;

/// <summary>
/// All that determines a training but the model and the images: with them, on the same processor with the same number of
/// threads, the same recipe gives the same weights bit for bit. A GPU adds numbers in an order of its own.
/// </summary>
public sealed record Recipe
{
    static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Passes over the training images.</summary>
    public required int Epochs { get; init; }

    /// <summary>B, the images of one step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>In how many parts a batch is computed, whose gradients add up; more take less memory.</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>The highest learning rate, reached after the warm-up.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>What the learning rate falls to, as a share of the highest: it would get there one step after the last.</summary>
    public double FinalRate { get; init; }

    /// <summary>Epochs in which the learning rate rises in a straight line; parts of one are allowed.</summary>
    public double WarmUpEpochs { get; init; } = 1;

    /// <summary>Of matrices; see <see cref="AdamW"/>.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>The decay of AdamW's mean gradient (β₁).</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay of AdamW's mean squared gradient (β₂).</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to AdamW's denominator (ε).</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>The length to which longer gradients are cut; null for none.</summary>
    public double? MaxGradNorm { get; init; } = 1;

    /// <summary>The share of certainty that goes to all classes alike (arXiv:1512.00567, section 7).</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>How training images are varied; null for not at all.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>How training images are mixed with one another; null for not at all.</summary>
    public Mixing? Mixing { get; init; }

    /// <summary>
    /// How much each step keeps of the weights' exponential moving average (EMA); 0 for no average. In the first steps it
    /// keeps less, so that the random first weights are soon forgotten.
    /// </summary>
    public double EmaDecay { get; init; }

    /// <summary>Epochs without a better validation accuracy after which training stops; null for never.</summary>
    public int? Patience { get; init; }

    /// <summary>Of the order, the augmentation and what is random inside the model.</summary>
    public long Seed { get; init; }

    /// <summary>How many training images were set aside for validation; for the record, the trainer takes both sets as given.</summary>
    public int ValidationCount { get; init; }

    /// <summary>In what numbers the model computes.</summary>
    public Precision Precision { get; init; }

    /// <summary><c>auto</c>, <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c> …, or <c>mps</c>; see <see cref="ComputeDevice.Choose"/>.</summary>
    public string Device { get; init; } = "auto";

    // As files of before call what has another name now. The normalisation belongs to the images.
    [JsonInclude]
    int Accumulation { init => GradientAccumulationSteps = value; }
    [JsonInclude]
    double? ClipNorm { init => MaxGradNorm = value; }
    [JsonInclude]
    double AverageDecay { init => EmaDecay = value; }
    [JsonInclude]
    JsonElement Normalization { init => _ = value; }

    /// <summary>The learning rate of a step: a straight rise, then half a cosine down (arXiv:1608.03983).</summary>
    /// <param name="step">From 0 to <paramref name="steps"/> - 1.</param>
    /// <param name="steps">Of the whole training.</param>
    public double LearningRateAt(long step, long steps)
    {
        var warmUp = (long)Math.Round(WarmUpEpochs * steps / Epochs);
        if (step < warmUp)
            return LearningRate * (step + 1) / (warmUp + 1);
        var progress = (step - warmUp) / (double)Math.Max(1, steps - warmUp);
        return LearningRate * (FinalRate + (1 - FinalRate) * (1 + Math.Cos(Math.PI * progress)) / 2);
    }

    /// <summary>The recipe as JSON, all of it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads what <see cref="ToJson"/> wrote, also under the names that some values had before.</summary>
    /// <exception cref="InvalidDataException">It is no JSON of a recipe; the message says where and why.</exception>
    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    public static Recipe FromJson(string json)
    {
        try
        {
            var recipe = JsonSerializer.Deserialize<Recipe>(json, Json) ?? throw new InvalidDataException("The recipe is null, expected was a JSON object.");
            recipe.Check();
            return recipe;
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"The recipe cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it, says what it is and what fits.</exception>
    public void Check()
    {
        Require(Epochs >= 1, Epochs, "at least 1", nameof(Epochs));
        Require(BatchSize >= 1, BatchSize, "at least 1", nameof(BatchSize));
        Require(GradientAccumulationSteps >= 1 && GradientAccumulationSteps <= BatchSize, GradientAccumulationSteps, $"from 1 to the batch size, {BatchSize}", nameof(GradientAccumulationSteps));
        Require(double.IsFinite(LearningRate) && LearningRate > 0, LearningRate, "above 0", nameof(LearningRate));
        Require(FinalRate is >= 0 and <= 1, FinalRate, "from 0 to 1", nameof(FinalRate));
        Require(WarmUpEpochs >= 0 && WarmUpEpochs <= Epochs, WarmUpEpochs, $"from 0 to the epochs, {Epochs}", nameof(WarmUpEpochs));
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, WeightDecay, "at least 0", nameof(WeightDecay));
        Require(Beta1 is >= 0 and < 1, Beta1, "at least 0 and below 1", nameof(Beta1));
        Require(Beta2 is >= 0 and < 1, Beta2, "at least 0 and below 1", nameof(Beta2));
        Require(double.IsFinite(Epsilon) && Epsilon > 0, Epsilon, "above 0", nameof(Epsilon));
        Require(MaxGradNorm is null or > 0, MaxGradNorm, "above 0, or null", nameof(MaxGradNorm));
        Require(LabelSmoothing is >= 0 and < 1, LabelSmoothing, "at least 0 and below 1", nameof(LabelSmoothing));
        Require(EmaDecay is >= 0 and < 1, EmaDecay, "at least 0 and below 1", nameof(EmaDecay));
        Require(Patience is null or >= 1, Patience, "at least 1, or null", nameof(Patience));
        Require(ValidationCount >= 0, ValidationCount, "at least 0", nameof(ValidationCount));
        Require(Enum.IsDefined(Precision), Precision, string.Join(" or ", Enum.GetNames<Precision>()), nameof(Precision));
        Augmentation?.Check();
        Mixing?.Check();
        ComputeDevice.Check(Device);

        static void Require(bool holds, object? found, string expected, string name)
        {
            if (!holds)
                throw new ArgumentException($"A recipe's {name} is {expected}; given was {found}.", name);
        }
    }
}
