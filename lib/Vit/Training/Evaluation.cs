using System.Runtime.InteropServices;
using Vit.Data;
using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>How well a model does on labelled images.</summary>
/// <param name="Count">Images that were looked at.</param>
/// <param name="Loss">The mean cross-entropy, without label smoothing.</param>
/// <param name="Top1">The share of images whose class had the highest logit, from 0 to 1.</param>
/// <param name="Top5">The share of images whose class was among the five highest logits.</param>
/// <param name="Confusion">What was taken for what.</param>
public sealed record Evaluation(int Count, double Loss, double Top1, double Top5, ConfusionMatrix Confusion)
{
    /// <summary>Evaluates a model, in evaluation mode and without gradients; its mode is put back.</summary>
    /// <param name="model">[B, C, H, W] to logits [B, K].</param>
    /// <param name="images">What to look at, as their preprocessing says.</param>
    /// <param name="batchSize">Images at a time.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <exception cref="ArgumentException">There are no images, or the model has another number of classes than they.</exception>
    /// <exception cref="InvalidDataException">None of the images can be read, one that shall not be skipped cannot, or one is not finite.</exception>
    public static Evaluation Of(nn.Module<Tensor, Tensor> model, IImageSource images, int batchSize = 250, CancellationToken cancellation = default)
    {
        if (images.Count == 0)
            throw new ArgumentException("There are no images to evaluate the model on.", nameof(images));
        var batches = new BatchStream(images, batchSize, seed: 0) { Shuffle = false };
        var wasTraining = model.training;
        var confusion = new ConfusionMatrix(images.ClassNames.Count);
        double loss = 0;
        long top5 = 0;
        model.eval();
        try
        {
            using var all = batches.Epoch(0).GetEnumerator();
            for (var more = true; more;)
            {
                cancellation.ThrowIfCancellationRequested();
                Uninterrupted.Run(() =>
                {
                    more = all.MoveNext();
                    if (more)
                        Look(all.Current);
                });
            }
        }
        finally
        {
            model.train(wasTraining);
        }
        // Fewer than the source has, where it skips what cannot be read.
        var seen = confusion.Total;
        if (seen == 0)
            throw new InvalidDataException("None of the images can be read.");
        return new((int)seen, loss / seen, confusion.Accuracy, (double)top5 / seen, confusion);

        void Look(Batch batch)
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            var logits = LogitsOf(model, batch.Images, confusion.Classes);
            var labels = batch.Labels.to(logits.device);
            loss += nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum).item<float>();
            if (!double.IsFinite(loss) && NotFinite(batch.Images) is string image)
                throw new InvalidDataException($"Batch {batch.Step + 1} to evaluate on: {image}.");
            var best = logits.topk((int)Math.Min(5, logits.shape[1])).indexes;
            top5 += best.eq(labels.unsqueeze(1)).sum().item<long>();
            confusion.Add(labels, best.select(1, 0));
        }
    }

    /// <summary>The first image that holds something else than numbers; null where none does.</summary>
    internal static string? NotFinite(Tensor images)
    {
        using var scope = NewDisposeScope();
        var broken = images.isfinite().logical_not().flatten(1).any(1).to(int64);
        return broken.sum().item<long>() == 0 ? null : $"image {broken.argmax().item<long>()} of {images.shape[0]} is not finite";
    }

    /// <summary>What a model says, on its own device.</summary>
    /// <param name="model">The model.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="classes">K, of the images.</param>
    /// <returns>[B, K], float32.</returns>
    /// <exception cref="ArgumentException">The model does not take such images, or has another number of classes.</exception>
    internal static Tensor LogitsOf(nn.Module<Tensor, Tensor> model, Tensor images, int classes)
    {
        var weights = model.parameters().FirstOrDefault(parameter => parameter.is_floating_point());
        Tensor logits;
        try
        {
            logits = model.forward(weights is null ? images : images.to(weights.dtype, weights.device)).to(float32);
        }
        catch (ExternalException exception)
        {
            throw new ArgumentException($"The model does not take the images, which are {Shape.Of(images)}: {exception.Message.Split('\n')[0]}", nameof(model), exception);
        }
        return logits.dim() == 2 && logits.shape[1] == classes
            ? logits
            : throw new ArgumentException($"The images are of {classes} classes, and of {images.shape[0]} images the model gives logits {Shape.Of(logits)}: expected was {Shape.Of([images.shape[0], classes])}.", nameof(model));
    }
}
