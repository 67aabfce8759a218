using Vit.Data;

namespace Vit.Training;

/// <summary>Where a training stands, beside its tensors.</summary>
sealed record TrainingState
{
    /// <summary>How many images there are to learn from; null in a checkpoint of a time when that was not noted.</summary>
    public int? TrainingImages { get; init; }

    /// <summary>The names of their classes.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>How they become what the model takes; null in a checkpoint of a time when that was not noted.</summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>What was found to be faster, where the recipe leaves it to the machine.</summary>
    public Precision? Precision { get; init; }

    /// <summary>Epochs that are done, validation included.</summary>
    public int Epochs { get; init; }

    /// <summary>Steps since the start.</summary>
    public long Step { get; init; }

    /// <summary>Steps of the epoch under way.</summary>
    public int StepsInEpoch { get; init; }

    /// <summary>Of the epoch under way: the sum over its images.</summary>
    public double Loss { get; init; }

    /// <summary>Of the epoch under way: images recognised.</summary>
    public long Right { get; init; }

    /// <summary>Of the epoch under way: images seen.</summary>
    public long Images { get; init; }

    /// <summary>Of the epoch under way: seconds of its steps.</summary>
    public double Seconds { get; init; }

    /// <summary>Of the epoch under way: seconds in which no images were ready.</summary>
    public double Waited { get; init; }

    /// <summary>One record for each epoch that is done.</summary>
    public IReadOnlyList<EpochRecord> History { get; init; } = [];
}
