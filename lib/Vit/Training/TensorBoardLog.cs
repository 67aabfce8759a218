using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>Writes epochs as TensorBoard's event files: <c>tensorboard --logdir FOLDER</c> draws them.</summary>
public sealed class TensorBoardLog
{
    readonly SummaryWriter writer;

    /// <summary>Starts an event file in a folder; those that are there stay.</summary>
    public TensorBoardLog(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Directory.CreateDirectory(folder);
        writer = utils.tensorboard.SummaryWriter(folder);
    }

    /// <summary>Adds an epoch, at the number of its last step.</summary>
    public void Add(EpochRecord epoch)
    {
        foreach (var (tag, value) in ((string, double)[])
        [
            ("loss/training", epoch.TrainingLoss), ("loss/validation", epoch.ValidationLoss),
            ("accuracy/training", epoch.TrainingTop1), ("accuracy/top-1", epoch.Top1), ("accuracy/top-5", epoch.Top5),
            ("learning rate", epoch.LearningRate), ("images per second", epoch.ImagesPerSecond),
        ])
            writer.add_scalar(tag, (float)value, (int)epoch.Step);
    }
}
