using System.Runtime;
using Vit.Layers;
using Vit.Tests.Weights;
using Vit.Training;
using Vit.Weights;
using static TorchSharp.torch;

namespace Vit.Tests.Training;

public class SurvivalTests
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Trains in this process, undisturbed.</summary>
    static byte[] Undisturbed(Recipe recipe, TrainingLoss? loss = null)
    {
        using var model = Small.Model();
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), recipe) { Loss = loss ?? Trainer.CrossEntropy };
        Assert.Equal(recipe.Epochs, trainer.Run(Stop).Count());
        return Small.Bits(model);
    }

    /// <summary>Trains until the thread is aborted, as the kernel interrupts a cell.</summary>
    /// <returns>Whether it was, before the training's end.</returns>
    static bool Aborted(Trainer trainer, CancellationToken stop)
    {
        try
        {
#pragma warning disable SYSLIB0046 // What the kernel does.
            ControlledExecution.Run(() => trainer.Run(Stop).Count(), stop);
#pragma warning restore SYSLIB0046
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    [Fact]
    public void Killed_twenty_times_it_ends_with_the_same_weights()
    {
        using var straight = new TemporaryFolder();
        using var killed = new TemporaryFolder();
        using (var process = TrainingProcess.Start(straight.FullName))
        {
            process.StandardInput.Close();
            Assert.EndsWith("done", process.StandardOutput.ReadToEnd().TrimEnd());
            process.WaitForExit();
        }

        var random = new Random(20);
        var kills = 0;
        for (var done = false; !done;)
        {
            using var process = TrainingProcess.Start(killed.FullName);
            // A step is taken when a line allows it: at most 6 in each of twenty sittings, of 150.
            var lines = kills < 20 ? random.Next(6) : int.MaxValue;
            string? line = "";
            if (kills == 20)
                process.StandardInput.Close();
            else
                process.StandardInput.WriteLine();
            for (var i = 0; i < lines && line is not (null or "done"); i++)
            {
                line = process.StandardOutput.ReadLine();
                if (kills < 20)
                    process.StandardInput.WriteLine();
            }
            done = line == "done";
            if (!done)
            {
                Assert.True(kills < 20 && line is not null, $"the process ended by itself after {kills} kills");
                // Anywhere within the next step, or the writing of its checkpoint.
                Thread.SpinWait(random.Next(500_000));
                process.Kill();
                kills++;
            }
            process.WaitForExit();
        }
        Assert.Equal(20, kills);

        Assert.Equal(straight.Files, killed.Files);
        var name = straight.Files.Last(file => file.StartsWith("step-", StringComparison.Ordinal));
        using var scope = NewDisposeScope();
        foreach (var file in (string[])[name, "best.safetensors"])
        {
            var (expected, actual) = (SafeTensors.Load(straight[file]), SafeTensors.Load(killed[file]));
            Assert.Equal(expected.Keys, actual.Keys);
            foreach (var (key, tensor) in expected)
                SameBits.Assert(tensor, actual[key]);
        }
    }

    [Fact]
    public void Stopped_and_taken_up_by_another_trainer_it_ends_with_the_same_weights()
    {
        var expected = Undisturbed(Small.FullRecipe);
        using var folder = new TemporaryFolder();
        var sittings = 0;
        for (var done = false; !done; sittings++)
        {
            Assert.True(sittings < 10, "it does not go on");
            using var model = Small.Model(seed: 100 + sittings);
            if (sittings == 0)
                model.load_state_dict(Small.Model().state_dict());
            using var stop = new CancellationTokenSource();
            using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), Small.FullRecipe)
            {
                Checkpoints = new CheckpointFolder(folder.FullName, keep: 1),
                Progress = new After(4, stop.Cancel),
            };
            try
            {
                foreach (var _ in trainer.Run(stop.Token))
                {
                }
                done = true;
                Assert.Equal(expected, Small.Bits(model));
                Assert.Equal([1, 2, 3], trainer.History.Select(epoch => epoch.Epoch));
            }
            catch (OperationCanceledException)
            {
            }
        }
        Assert.True(sittings > 3);
    }

    [Fact]
    public void An_aborted_thread_leaves_a_trainer_that_goes_on()
    {
        var expected = Undisturbed(Small.FullRecipe);
        using var model = Small.Model();
        Action interrupt = () => { };
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), Small.FullRecipe) { Progress = new After(3, () => interrupt()) };
        var interruptions = 0;
        while (!trainer.Done)
        {
            using var stop = new CancellationTokenSource();
            interrupt = stop.Cancel;
            if (Aborted(trainer, stop.Token))
                interruptions++;
        }
        Assert.True(interruptions > 2);
        Assert.Equal(expected, Small.Bits(model));
    }

    [Fact]
    public async Task An_interruption_inside_a_step_waits_for_its_end()
    {
        var expected = Undisturbed(Small.Recipe, WithBackwardInCSharp);
        using var model = Small.Model();
        Action interrupt = () => { };
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), Small.Recipe)
        {
            Loss = (m, images, targets) =>
            {
                var result = WithBackwardInCSharp(m, images, targets);
                // The backward pass is yet to come.
                interrupt();
                return result;
            },
        };
        var interruptions = 0;
        while (!trainer.Done)
        {
            using var stop = new CancellationTokenSource();
            var cancelling = Task.CompletedTask;
            interrupt = () =>
            {
                // On another thread, since this waits until the thread is aborted.
                cancelling = Task.Run(stop.Cancel, CancellationToken.None);
                SpinWait.SpinUntil(() => Thread.CurrentThread.ThreadState.HasFlag(ThreadState.AbortRequested));
            };
            if (Aborted(trainer, stop.Token))
                interruptions++;
            await cancelling;
        }
        Assert.Equal(18, interruptions);
        Assert.Equal(expected, Small.Bits(model));

        // Which it is for large products alone.
        static (Tensor, Tensor) WithBackwardInCSharp(nn.Module<Tensor, Tensor> model, Tensor images, Tensor targets)
        {
            using var products = FusedLinear.InTraining(leastWork: 0);
            return Trainer.CrossEntropy(model, images, targets);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Numbers_that_are_not_finite_stop_it_before_they_spread(bool inLoss)
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        var calls = 0;
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), Small.Recipe)
        {
            Checkpoints = new CheckpointFolder(folder.FullName),
            CheckpointSteps = 3,
            Loss = (m, images, targets) =>
            {
                var (loss, logits) = Trainer.CrossEntropy(m, images, targets);
                if (++calls < 6)
                    return (loss, logits);
                // sqrt has no slope at 0: the loss is finite, the gradient is not.
                var zero = model.blocks[1].mlp.fc1.bias!.sum() * 0;
                return (loss + (inLoss ? zero * double.NaN : zero.sqrt()), logits);
            },
        };
        var exception = Assert.Throws<DivergedException>(() => trainer.Run(Stop).Count());
        Assert.Equal((6, 5), (exception.Step, trainer.Step));
        Assert.Contains("Step 6", exception.Message);
        Assert.Contains(inLoss ? "the loss is NaN" : "the gradient's length is NaN", exception.Message);
        Assert.Equal("blocks.1.mlp.fc1.bias", exception.Layer);
        Assert.Equal(folder["step-000000003.safetensors"], exception.LastGoodCheckpoint);
        Assert.All(model.parameters(), parameter => Assert.True(parameter.isfinite().all().item<bool>()));
    }

    [Fact]
    public void Weights_blown_up_by_the_last_step_of_an_epoch_are_no_best()
    {
        using var folder = new TemporaryFolder();
        using var model = Small.Model();
        var recipe = Small.Recipe with { BatchSize = 90, WarmUpEpochs = 0, LearningRate = 1e30 };
        using var trainer = new Trainer(model, Small.Images(90, 1), Small.Images(30, 2), recipe) { Checkpoints = new CheckpointFolder(folder.FullName) };
        var exception = Assert.Throws<DivergedException>(() => trainer.Run(Stop).Count());
        Assert.Equal(1, exception.Step);
        Assert.Contains("Step 1: the validation loss after it is NaN", exception.Message);
        Assert.Equal(folder["step-000000000.safetensors"], exception.LastGoodCheckpoint);
        Assert.Equal([".lock", "step-000000000.safetensors"], folder.Files);
        Assert.Empty(trainer.History);
    }

    sealed class After(int steps, Action act) : IProgress<TrainingProgress>
    {
        int seen;

        public void Report(TrainingProgress value)
        {
            if (++seen % steps == 0)
                act();
        }
    }
}
