using System.Diagnostics;
using System.Runtime.CompilerServices;
using Vit.Training;

namespace Vit.Tests.Training;

/// <summary>This program once more, as a process that trains and can be killed.</summary>
static class TrainingProcess
{
    const string FolderVariable = "VIT_TESTS_TRAINING_FOLDER";

    /// <summary>Starts it; it takes a step for each line that it is given, or all once its input is closed, and says a line after each, and "done".</summary>
    public static Process Start(string folder)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // Under "dotnet Vit.Tests.dll", the program is dotnet's.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
            start.ArgumentList.Add(typeof(TrainingProcess).Assembly.Location);
        start.Environment[FolderVariable] = folder;
        start.Environment["OMP_NUM_THREADS"] = "1";
        return Process.Start(start)!;
    }

    // Before the test platform has its turn: it would wait for the tests that wait for this process.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void TrainInstead()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is not { Length: > 0 } folder)
            return;
        using var model = Small.Model();
        using var trainer = new Trainer(model, Small.Images(150, seed: 1), Small.Images(30, seed: 2), Small.FullRecipe with { Epochs = 15 })
        {
            Checkpoints = new CheckpointFolder(folder, keep: 2),
            CheckpointSteps = 1,
            Progress = new Lines(),
        };
        Console.In.ReadLine();
        foreach (var _ in trainer.Run())
        {
        }
        Console.Out.WriteLine("done");
        Environment.Exit(0);
    }

    sealed class Lines : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            Console.Out.WriteLine(value.Step);
            Console.In.ReadLine();
        }
    }
}
