using System.Globalization;

namespace Vit.Training;

/// <summary>What an epoch brought.</summary>
public sealed record EpochRecord
{
    /// <summary>From 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Steps taken since the start of the training.</summary>
    public required long Step { get; init; }

    /// <summary>The mean of the steps' losses, with augmentation, mixing and label smoothing.</summary>
    public required double TrainingLoss { get; init; }

    /// <summary>The share of training images recognised as they were shown, from 0 to 1; a mixed image's class is the larger one.</summary>
    public required double TrainingTop1 { get; init; }

    /// <summary>The mean cross-entropy on the validation images, of the averaged weights where there is an average.</summary>
    public required double ValidationLoss { get; init; }

    /// <summary>The share of validation images recognised, from 0 to 1.</summary>
    public required double Top1 { get; init; }

    /// <summary>The share of validation images whose class was among the five most probable.</summary>
    public required double Top5 { get; init; }

    /// <summary>Whether no epoch before had a better <see cref="Top1"/>.</summary>
    public required bool Best { get; init; }

    /// <summary>Of the epoch's last step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The time of the epoch's steps, validation not counted, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Training images a second.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>The share of <see cref="Seconds"/> in which the model waited for images, from 0 to 1.</summary>
    public required double WaitShare { get; init; }

    /// <summary>One line, as notebooks print it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch,3}: training loss {TrainingLoss:F3}, validation loss {ValidationLoss:F3}, top-1 {100 * Top1:F2} %, top-5 {100 * Top5:F2} %, learning rate {LearningRate:0.0e-0}, {ImagesPerSecond:F0} images/s, {100 * WaitShare:F1} % waiting{(Best ? ", best" : "")}");
}
