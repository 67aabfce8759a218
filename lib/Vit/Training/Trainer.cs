using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;
using Vit.Data;
using Vit.Layers;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>Trains a model that turns images [B, C, H, W] into logits [B, K], as a <see cref="Recipe"/> says.</summary>
/// <remarks>
/// All randomness follows from the recipe's seed and the number of the step; for what is random inside the model, the
/// trainer seeds torch's own generator before each step, and puts the CPU's back as it was at an epoch's end. A training can
/// therefore stop after any step, in any way, and goes on from its newest checkpoint as if nothing had happened.
/// </remarks>
public sealed class Trainer : IDisposable
{
    readonly nn.Module<Tensor, Tensor> model;
    readonly IImageSource training, validation;
    readonly AdamW optimizer;
    readonly ExponentialMovingAverage? average;
    readonly BatchStream batches;
    readonly Device device;
    readonly Func<nn.Module<Tensor, Tensor>>? another;
    nn.Module<Tensor, Tensor>? copy;
    (Parameter Master, Parameter Copy)[] precisions = [];
    (Tensor Own, Tensor Copy)[] buffers = [];
    TrainingState state = new();
    bool prepared;

    /// <summary>Prepares a training, and moves the model to the recipe's device.</summary>
    /// <param name="model">Float32; trained in place.</param>
    /// <param name="training">The images to learn from.</param>
    /// <param name="validation">The images by which epochs are compared.</param>
    /// <param name="recipe">How.</param>
    /// <param name="copy">Unless the precision is float32: makes a model like <paramref name="model"/>, which will compute.</param>
    /// <exception cref="ArgumentException">
    /// The recipe or the sets will not do, the model does not take the images or has another number of classes, or the copy is
    /// missing or another model.
    /// </exception>
    /// <exception cref="InvalidOperationException">This machine does not have the device.</exception>
    public Trainer(
        nn.Module<Tensor, Tensor> model, IImageSource training, IImageSource validation, Recipe recipe, Func<nn.Module<Tensor, Tensor>>? copy = null)
    {
        recipe.Check();
        if (training.Count == 0 || validation.Count == 0)
            throw new ArgumentException($"Training takes images to learn from and images to validate with, given were {training.Count} and {validation.Count}.", nameof(training));
        if (!training.ClassNames.SequenceEqual(validation.ClassNames))
            throw new ArgumentException("The training and the validation images have different classes.", nameof(validation));
        if (training.Preprocessing != validation.Preprocessing)
            throw new ArgumentException($"The validation images become what the model takes in another way than the training images: {validation.Preprocessing}, expected was {training.Preprocessing}.", nameof(validation));
        (this.model, this.training, this.validation, Recipe) = (model, training, validation, recipe);
        device = ComputeDevice.Choose(recipe.Device);
        this.model.to(device);
        CheckClasses();
        another = copy;
        Precision = recipe.Precision;
        if (Precision != Precision.Float32)
        {
            this.copy = copy?.Invoke() ?? throw new ArgumentException("bfloat16 takes a second model, that computes: give 'copy'.", nameof(copy));
            this.copy.to(device).to(ScalarType.BFloat16);
            // Running means change by less than bfloat16 can tell.
            foreach (var norm in this.copy.modules().OfType<BatchNorm>())
                norm.to(ScalarType.Float32);
            var (masters, copies) = (model.named_parameters().ToArray(), this.copy.named_parameters().ToArray());
            if (!masters.Select(it => it.name).SequenceEqual(copies.Select(it => it.name))
                || !masters.Zip(copies).All(pair => pair.First.parameter.shape.SequenceEqual(pair.Second.parameter.shape)))
                throw new ArgumentException("The copy has other parameters than the model.", nameof(copy));
            precisions = [.. masters.Zip(copies, (master, other) => (master.parameter, other.parameter))];
            buffers = [.. model.named_buffers().Zip(this.copy.named_buffers(), (own, other) => (own.buffer, other.buffer))];
        }
        optimizer = new AdamW(model, recipe.WeightDecay, recipe.Beta1, recipe.Beta2, recipe.Epsilon);
        if (recipe.EmaDecay > 0)
            average = new ExponentialMovingAverage(model, recipe.EmaDecay);
        batches = new BatchStream(training, recipe.BatchSize, recipe.Seed, recipe.Augmentation, recipe.Mixing) { LabelSmoothing = recipe.LabelSmoothing };
    }

    /// <summary>How the training goes.</summary>
    public Recipe Recipe { get; }

    /// <summary>
    /// In what numbers the model computes: the recipe's precision; where that is <see cref="Precision.Fastest"/>, what was
    /// faster here, once <see cref="Run"/> has measured it.
    /// </summary>
    public Precision Precision { get; private set; }

    /// <summary>Where checkpoints are kept, and where a training that was cut off goes on; null for nowhere.</summary>
    public CheckpointFolder? Checkpoints { get; init; }

    /// <summary>Checkpoints are written after each epoch, and inside an epoch after as many steps; null for not inside.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int? CheckpointSteps
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value ?? 1);
            field = value;
        }
    }

    /// <summary>What is made small; cross-entropy if not set.</summary>
    public TrainingLoss Loss { get; init; } = CrossEntropy;

    /// <summary>Hears of each step.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>One record for each epoch that is done, also of those before a resumption.</summary>
    public IReadOnlyList<EpochRecord> History => state.History;

    /// <summary>Steps taken since the start.</summary>
    public long Step => state.Step;

    /// <summary>Steps of an epoch.</summary>
    public int StepsPerEpoch => batches.StepsPerEpoch;

    /// <summary>Whether all epochs are done, or the validation accuracy has not risen for as long as the recipe waits.</summary>
    public bool Done => state.Epochs == Recipe.Epochs || Recipe.Patience is int patience && state.Epochs - BestEpoch >= patience;

    int BestEpoch => History.LastOrDefault(epoch => epoch.Best)?.Epoch ?? 0;

    /// <summary>
    /// Trains, an epoch for each record that is taken. Where the folder of <see cref="Checkpoints"/> holds a training,
    /// it goes on from there. Interruption, of any kind, takes hold between two steps: calling this again goes on.
    /// </summary>
    /// <remarks>
    /// After each epoch, and in the end, the model holds the weights of which the record tells: the averaged ones, where the
    /// recipe keeps an average. The next step goes on from its own.
    /// </remarks>
    /// <param name="cancellation">Stops after the step under way, which is kept as a checkpoint.</param>
    /// <exception cref="DivergedException">An image, a loss, of the validation too, a gradient or a statistic is not finite.</exception>
    /// <exception cref="IOException">The folder of the checkpoints cannot be written to, has too little room, or is another training's.</exception>
    /// <exception cref="InvalidOperationException">The folder holds a training of another recipe, or of other images.</exception>
    /// <exception cref="InvalidDataException">The folder holds a damaged checkpoint, or one of another model; or images cannot be read.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> asked for it.</exception>
    public IEnumerable<EpochRecord> Run(CancellationToken cancellation = default)
    {
        using var folder = Checkpoints?.Take();
        Uninterrupted.Run(Prepare);
        while (!Done)
        {
            Evaluation evaluation;
            try
            {
                TrainEpoch(cancellation);
                evaluation = Evaluate(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                Save(best: false);
                throw;
            }
            Uninterrupted.Run(() =>
            {
                EndEpoch(evaluation);
                average?.Exchange(inModel: true);
            });
            yield return History[^1];
        }
        Uninterrupted.Run(() => average?.Exchange(inModel: true));
    }

    /// <summary>
    /// Evaluates on the validation images, with the averaged weights where there are any; at most 250 at a time, and no more
    /// than the recipe computes at a time.
    /// </summary>
    public Evaluation Evaluate(CancellationToken cancellation = default)
    {
        var was = average is { InModel: true };
        try
        {
            Uninterrupted.Run(() => average?.Exchange(inModel: true));
            return Evaluation.Of(model, validation, Math.Min(250, (Recipe.BatchSize + Recipe.GradientAccumulationSteps - 1) / Recipe.GradientAccumulationSteps), cancellation);
        }
        finally
        {
            average?.Exchange(was);
        }
    }

    /// <summary>Cross-entropy against target probabilities.</summary>
    public static (Tensor Loss, Tensor Logits) CrossEntropy(nn.Module<Tensor, Tensor> model, Tensor images, Tensor targets)
    {
        var logits = model.forward(images).to(float32);
        return ((targets * logits.log_softmax(1)).sum(1).mean().neg(), logits);
    }

    /// <summary>Frees what the training holds; the model stays, the bfloat16 copy goes.</summary>
    public void Dispose()
    {
        average?.Dispose();
        optimizer.Dispose();
        copy?.Dispose();
    }

    void CheckClasses()
    {
        var wasTraining = model.training;
        var (preprocessing, classes) = (training.Preprocessing, training.ClassNames.Count);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        model.eval();
        try
        {
            Evaluation.LogitsOf(model, zeros(1, preprocessing.Channels, preprocessing.Height, preprocessing.Width), classes);
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    void Prepare()
    {
        if (prepared)
            return;
        if (Checkpoints?.Latest is string latest)
        {
            var checkpoint = TrainingCheckpoint.Open(latest);
            if (checkpoint.Recipe.ToJson() != Recipe.ToJson())
                throw new InvalidOperationException($"{latest} is of a training with another recipe: take another folder, or the recipe\n{checkpoint.Recipe.ToJson()}");
            if (checkpoint.State.TrainingImages is int count && (count != training.Count || !checkpoint.State.ClassNames.SequenceEqual(training.ClassNames)))
                throw new InvalidOperationException(
                    $"{latest} is of a training with {count} images of {checkpoint.State.ClassNames.Count} classes, given are {training.Count} of {training.ClassNames.Count}, or classes of other names: "
                    + "take another folder, or the images of that training.");
            if (checkpoint.State.Preprocessing is { } preprocessing && preprocessing != training.Preprocessing)
                throw new InvalidOperationException($"{latest} is of a training on images of {preprocessing}, given were images of {training.Preprocessing}: take another folder, or the images of that training.");
            checkpoint.Load(model, optimizer, average);
            state = checkpoint.State;
        }
        if (Precision == Precision.Fastest)
            Choose(state.Precision ?? Faster());
        state = state with { TrainingImages = training.Count, ClassNames = training.ClassNames, Preprocessing = training.Preprocessing, Precision = Precision };
        Checkpoints?.Prepare(model, optimizer, average, Recipe, state);
        CopyToCompute();
        prepared = true;
    }

    void Choose(Precision precision)
    {
        Precision = precision;
        if (precision == Precision.BFloat16)
            return;
        copy!.Dispose();
        (copy, precisions, buffers) = (null, [], []);
    }

    /// <summary>Takes steps of each in turn, on models that are thrown away or filled anew.</summary>
    Precision Faster()
    {
        const int rounds = 5;
        using var kept = new KeptRandomState();
        using var plain = another!();
        plain.to(device);
        var (single, half) = (new List<TimeSpan>(), new List<TimeSpan>());
        foreach (var batch in batches.Epoch(0).Take(1))
            // The first step of each warms up.
            for (var round = 0; round <= rounds; round++)
            {
                single.Add(Time(plain, ScalarType.Float32, batch));
                half.Add(Time(copy!, ScalarType.BFloat16, batch));
            }
        return half.Skip(1).Order().ElementAtOrDefault(rounds / 2) < single.Skip(1).Order().ElementAtOrDefault(rounds / 2) ? Precision.BFloat16 : Precision.Float32;
    }

    /// <summary>How long the gradients of a batch take; the rest of a step is the same in both precisions.</summary>
    TimeSpan Time(nn.Module<Tensor, Tensor> compute, ScalarType type, Batch batch)
    {
        using var scope = NewDisposeScope();
        using var products = FusedLinear.InTraining();
        random.manual_seed(Recipe.Seed);
        compute.train();
        var clock = Stopwatch.StartNew();
        foreach (var (part, targets) in batch.Images.to(device).chunk(Recipe.GradientAccumulationSteps).Zip(batch.Targets.to(device).chunk(Recipe.GradientAccumulationSteps)))
        {
            using var inner = NewDisposeScope();
            Loss(compute, part.to(type), targets).Loss.backward();
        }
        // A GPU is done when a number of its last tensors can be read.
        foreach (var parameter in compute.parameters())
            _ = parameter.grad?.flatten()[0].to(float32).item<float>();
        clock.Stop();
        foreach (var parameter in compute.parameters())
            parameter.grad = null;
        return clock.Elapsed;
    }

    void TrainEpoch(CancellationToken cancellation)
    {
        if (state.StepsInEpoch == StepsPerEpoch)
            return;
        var compute = copy ?? model;
        compute.train();
        var clock = Stopwatch.StartNew();
        var waited = batches.Waited;
        using var kept = new KeptRandomState();
        using var epoch = batches.Epoch(state.Epochs, state.StepsInEpoch).GetEnumerator();
        for (var more = true; more;)
        {
            cancellation.ThrowIfCancellationRequested();
            Uninterrupted.Run(() =>
            {
                // This also frees the batch before.
                more = epoch.MoveNext();
                if (!more)
                    return;
                var batch = epoch.Current;
                var (loss, right) = TakeStep(compute, batch.Images, batch.Targets);
                var count = batch.Images.shape[0];
                state = state with
                {
                    Step = state.Step + 1,
                    StepsInEpoch = batch.Step + 1,
                    Loss = state.Loss + loss * count,
                    Right = state.Right + right,
                    Images = state.Images + count,
                    Seconds = state.Seconds + clock.Elapsed.TotalSeconds,
                    Waited = state.Waited + (batches.Waited - waited).TotalSeconds,
                };
                clock.Restart();
                waited = batches.Waited;
                if (CheckpointSteps is int steps && state.Step % steps == 0 && state.StepsInEpoch < StepsPerEpoch)
                    Save(best: false);
            });
            if (more)
                Report();
        }
        if (state.Images == 0)
            throw new InvalidDataException("None of the training images can be read.");
    }

    (double Loss, long Right) TakeStep(nn.Module<Tensor, Tensor> compute, Tensor images, Tensor targets)
    {
        // A step goes on from its own weights.
        average?.Exchange(inModel: false);
        using var scope = NewDisposeScope();
        using var products = FusedLinear.InTraining();
        random.manual_seed(Seed.Of(Recipe.Seed, state.Step));
        optimizer.ZeroGrad();
        var count = images.shape[0];
        var (loss, right, single) = (0.0, 0L, false);
        foreach (var (part, partTargets) in images.to(device).chunk(Recipe.GradientAccumulationSteps).Zip(targets.to(device).chunk(Recipe.GradientAccumulationSteps)))
        {
            using var inner = NewDisposeScope();
            var share = (double)part.shape[0] / count;
            single |= part.shape[0] == 1;
            var (partLoss, logits) = Loss(compute, copy is null ? part : part.to(ScalarType.BFloat16), partTargets);
            (share == 1 ? partLoss : partLoss * share).backward();
            GradientsFromCompute();
            loss += share * partLoss.item<float>();
            right += logits.argmax(1).eq(partTargets.argmax(1)).sum().item<long>();
        }
        if (!double.IsFinite(loss))
            throw Diverged($"the loss is {loss}", images);
        // The variance of one value is no number, and shows in the validation alone.
        if (single && compute.named_buffers().FirstOrDefault(it => !IsFinite(it.buffer)).name is string statistic)
            throw Diverged($"the statistics '{statistic}' are not finite, since a single image was computed at a time, and gave its channels a single value", state.Step + 1, statistic, " Another batch size, or fewer steps of gradient accumulation, leave more than one.");
        var norm = optimizer.Step(Recipe.LearningRateAt(state.Step, (long)Recipe.Epochs * StepsPerEpoch), Recipe.MaxGradNorm);
        if (!double.IsFinite(norm))
            throw Diverged($"the gradient's length is {norm}", images);
        // What the copy has counted itself, such as BatchNorm's running means.
        foreach (var (own, part) in buffers)
            own.copy_(part);
        average?.Update(state.Step + 1);
        CopyToCompute();
        return (loss, right);
    }

    void GradientsFromCompute()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (master, part) in precisions)
        {
            if (part.grad is not Tensor gradient)
                continue;
            if (master.grad is Tensor sum)
                sum.add_(gradient.to(float32));
            else
                master.grad = gradient.to(float32);
            part.grad = null;
        }
    }

    void CopyToCompute()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (master, part) in precisions)
            part.copy_(master);
        foreach (var (own, part) in buffers)
            part.copy_(own);
    }

    /// <summary>What a step that gave no number has to say.</summary>
    DivergedException Diverged(string what, Tensor images)
    {
        using var scope = NewDisposeScope();
        return Evaluation.NotFinite(images) is string image
            ? Diverged($"{image}, as the images, the augmentation and the normalisation have made it", state.Step + 1, null, "")
            : Diverged(what, state.Step + 1);
    }

    DivergedException Diverged(string what, long step)
    {
        using var scope = NewDisposeScope();
        var named = model.named_parameters().ToArray();
        // A gradient is poisoned from where it arises down to the input: the parameter nearest to the output is where.
        var weight = named.FirstOrDefault(it => !IsFinite(it.parameter)).name ?? model.named_buffers().FirstOrDefault(it => !IsFinite(it.buffer)).name;
        var layer = weight ?? named.LastOrDefault(it => it.parameter.grad is Tensor gradient && !IsFinite(gradient)).name;
        return Diverged(
            $"{what}{(layer is null ? "" : weight is null ? $"; the gradient of '{layer}' is not finite" : $"; '{layer}' is not finite")}", step, layer,
            " A lower learning rate, a longer warm-up or a smaller MaxGradNorm may help.");
    }

    DivergedException Diverged(string what, long step, string? layer, string advice)
    {
        optimizer.ZeroGrad();
        var lastGood = Checkpoints?.Latest;
        return new($"Step {step}: {what}. {(lastGood is null ? "There is no checkpoint to go back to." : $"The last good checkpoint is {lastGood}.")}{advice}", step, layer, lastGood);
    }

    static bool IsFinite(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return tensor.isfinite().all().item<bool>();
    }

    void EndEpoch(Evaluation evaluation)
    {
        // Weights that the last step has blown up show nowhere else.
        if (!double.IsFinite(evaluation.Loss))
            throw Diverged($"the validation loss after it is {evaluation.Loss}", state.Step);
        var best = evaluation.Top1 > History.Select(epoch => epoch.Top1).DefaultIfEmpty(-1).Max();
        var record = new EpochRecord
        {
            Epoch = state.Epochs + 1,
            Step = state.Step,
            TrainingLoss = state.Loss / state.Images,
            TrainingTop1 = (double)state.Right / state.Images,
            ValidationLoss = evaluation.Loss,
            Top1 = evaluation.Top1,
            Top5 = evaluation.Top5,
            Best = best,
            LearningRate = Recipe.LearningRateAt(state.Step - 1, (long)Recipe.Epochs * StepsPerEpoch),
            Seconds = state.Seconds,
            ImagesPerSecond = state.Images / state.Seconds,
            WaitShare = state.Waited / state.Seconds,
        };
        state = new()
        {
            TrainingImages = state.TrainingImages,
            ClassNames = state.ClassNames,
            Preprocessing = state.Preprocessing,
            Precision = Precision,
            Epochs = record.Epoch,
            Step = state.Step,
            History = [.. History, record],
        };
        Save(best);
    }

    void Save(bool best)
    {
        var was = average is { InModel: true };
        average?.Exchange(inModel: false);
        Checkpoints?.Save(model, optimizer, average, Recipe, state, best);
        average?.Exchange(was);
    }

    void Report()
    {
        if (Progress is null)
            return;
        var left = ((long)Recipe.Epochs - state.Epochs) * StepsPerEpoch - state.StepsInEpoch;
        Progress.Report(new(
            state.Epochs + 1, Recipe.Epochs, state.StepsInEpoch, StepsPerEpoch, state.Loss / state.Images, (double)state.Right / state.Images,
            state.Images / state.Seconds, TimeSpan.FromSeconds(left * state.Seconds / state.StepsInEpoch)));
    }

    /// <summary>Puts the random state of torch on the CPU back as it is now.</summary>
    sealed class KeptRandomState : IDisposable
    {
        readonly Tensor state = Generator.Default.get_state().DetachFromDisposeScope();

        public void Dispose()
        {
            Generator.Default.set_state(state);
            state.Dispose();
        }
    }
}
