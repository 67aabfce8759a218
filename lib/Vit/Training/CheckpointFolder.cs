using System.Globalization;
using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>
/// Where a training keeps its checkpoints: the newest few (<c>step-….safetensors</c>), the one of the best epoch
/// (<c>best.safetensors</c>), and a table of the epochs (<c>log.csv</c>). Each file is written whole or not at all. One
/// training at a time writes to a folder: it holds <c>.lock</c> open.
/// </summary>
public sealed class CheckpointFolder
{
    const string Prefix = "step-", Extension = ".safetensors";

    /// <summary>Names a folder; nothing is created before the training starts.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="keep">How many of the newest checkpoints stay.</param>
    /// <exception cref="ArgumentOutOfRangeException">None would stay.</exception>
    public CheckpointFolder(string path, int keep = 3)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(keep);
        (FullName, Keep) = (Path.GetFullPath(path), keep);
    }

    /// <summary>The folder's path.</summary>
    public string FullName { get; }

    /// <summary>How many of the newest checkpoints stay.</summary>
    public int Keep { get; }

    /// <summary>The newest checkpoint; null where there is none.</summary>
    public string? Latest => Newest().FirstOrDefault();

    /// <summary>The checkpoint of the epoch with the best validation accuracy; null where there is none.</summary>
    public string? Best => File.Exists(BestPath) ? BestPath : null;

    string BestPath => Path.Combine(FullName, "best" + Extension);

    /// <summary>Takes the folder for one training, until what is returned is disposed.</summary>
    /// <exception cref="IOException">Another training has it, or it cannot be written to.</exception>
    internal IDisposable Take()
    {
        try
        {
            Directory.CreateDirectory(FullName);
            // The system lets go of it however the process ends. It stays: whoever deleted it might delete another's.
            return new FileStream(Path.Combine(FullName, ".lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw Unwritable(exception);
        }
        catch (IOException exception) when (File.Exists(Path.Combine(FullName, ".lock")))
        {
            throw new IOException($"{FullName}: another training is writing its checkpoints there: take another folder, or end that one.", exception);
        }
    }

    IOException Unwritable(UnauthorizedAccessException exception) => new($"{FullName}: checkpoints cannot be written there: {exception.Message}", exception);

    /// <summary>Writes the first checkpoint, and so finds out before any work is done whether the folder will do.</summary>
    /// <exception cref="IOException">The folder cannot be written to, or its disk has no room for the checkpoints.</exception>
    internal void Prepare(nn.Module model, AdamW optimizer, ExponentialMovingAverage? average, Recipe recipe, TrainingState state)
    {
        try
        {
            // What a killed process had not finished.
            foreach (var unfinished in Directory.GetFiles(FullName, ".*" + Extension + ".*").Concat(Directory.GetFiles(FullName, ".log.csv.*")))
                File.Delete(unfinished);
            var bytes = model.state_dict().Values.Concat(average?.State.Values ?? []).Concat(optimizer.State.Values).Sum(tensor => tensor.numel() * tensor.element_size());
            // The newest ones, the best, and one more of each while it is written.
            var needed = (Keep + 3L) * bytes - Newest().Append(BestPath).Where(File.Exists).Sum(path => new FileInfo(path).Length);
            // A folder of another machine (\\machine\folder) is on no drive.
            var free = FullName.StartsWith(@"\\", StringComparison.Ordinal) ? long.MaxValue : new DriveInfo(FullName).AvailableFreeSpace;
            if (free < needed)
                throw new IOException($"{FullName}: its disk has {free / 1e6:F0} MB free, and checkpoints of {bytes / 1e6:F1} MB need {needed / 1e6:F0} MB, with one more while it is written.");
            Save(model, optimizer, average, recipe, state, best: false);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw Unwritable(exception);
        }
    }

    internal void Save(nn.Module model, AdamW optimizer, ExponentialMovingAverage? average, Recipe recipe, TrainingState state, bool best)
    {
        try
        {
            // The best first: a process killed between the two does the epoch's last step once more, and writes it again.
            if (best)
                TrainingCheckpoint.Save(BestPath, model, optimizer, average, recipe, state);
            TrainingCheckpoint.Save(Path.Combine(FullName, $"{Prefix}{state.Step:D9}{Extension}"), model, optimizer, average, recipe, state);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw Unwritable(exception);
        }
        foreach (var old in Newest().Skip(Keep))
            Try(() => File.Delete(old));
        if (state.History.Count > 0)
            Try(() => WriteLog(state.History));
    }

    /// <summary>Leaves what another program holds, such as a table that is being looked at, to the next time.</summary>
    static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    void WriteLog(IReadOnlyList<EpochRecord> history) => WholeFile.Write(Path.Combine(FullName, "log.csv"), stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine("epoch,step,training_loss,training_top1,validation_loss,top1,top5,learning_rate,seconds,images_per_second,wait_share");
        foreach (var epoch in history)
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{epoch.Epoch},{epoch.Step},{epoch.TrainingLoss:F4},{epoch.TrainingTop1:F4},{epoch.ValidationLoss:F4},{epoch.Top1:F4},{epoch.Top5:F4},{epoch.LearningRate:E3},{epoch.Seconds:F1},{epoch.ImagesPerSecond:F0},{epoch.WaitShare:F4}"));
    });

    // Names sort as their steps do.
    IEnumerable<string> Newest() => Directory.Exists(FullName)
        ? Directory.GetFiles(FullName, $"{Prefix}*{Extension}").Where(path => long.TryParse(Path.GetFileNameWithoutExtension(path)[Prefix.Length..], out _)).OrderDescending(StringComparer.Ordinal)
        : [];
}
