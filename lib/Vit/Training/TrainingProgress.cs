namespace Vit.Training;

/// <summary>Where a training stands after a step.</summary>
/// <param name="Epoch">The epoch under way, from 1.</param>
/// <param name="Epochs">Of the whole training.</param>
/// <param name="Step">Steps taken in this epoch.</param>
/// <param name="Steps">Steps of an epoch.</param>
/// <param name="Loss">The mean of this epoch's steps so far.</param>
/// <param name="Top1">The share of this epoch's images recognised so far.</param>
/// <param name="ImagesPerSecond">Training images a second in this epoch.</param>
/// <param name="Remaining">The time that the steps left will take at this rate.</param>
public readonly record struct TrainingProgress(int Epoch, int Epochs, int Step, int Steps, double Loss, double Top1, double ImagesPerSecond, TimeSpan Remaining);
