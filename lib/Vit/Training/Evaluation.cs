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
    /// <param name="images">What to look at.</param>
    /// <param name="normalization">As in the model's training; null for none.</param>
    /// <param name="batchSize">Images at a time.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <exception cref="ArgumentException">There are no images.</exception>
    /// <exception cref="InvalidDataException">None of the images can be read, or one that shall not be skipped cannot.</exception>
    public static Evaluation Of(
        nn.Module<Tensor, Tensor> model, IImageSource images, Normalization? normalization = null, int batchSize = 250, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        if (images.Count == 0)
            throw new ArgumentException("There are no images to evaluate the model on.", nameof(images));
        var wasTraining = model.training;
        var device = model.parameters().FirstOrDefault()?.device ?? CPU;
        var confusion = new ConfusionMatrix(images.ClassNames.Count);
        double loss = 0;
        long top5 = 0;
        model.eval();
        try
        {
            for (var start = 0; start < images.Count; start += batchSize)
            {
                cancellation.ThrowIfCancellationRequested();
                var positions = Enumerable.Range(start, Math.Min(batchSize, images.Count - start)).Select(i => (long)i).ToArray();
                Uninterrupted.Run(() => Look(positions));
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

        void Look(long[] positions)
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            var (read, readLabels) = images.Read(positions);
            if (readLabels.shape[0] == 0)
                return;
            var (pixels, labels) = (read.to(device), readLabels.to(device));
            var logits = model.forward(normalization?.Apply(pixels) ?? pixels).to(float32);
            loss += nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum).item<float>();
            var best = logits.topk((int)Math.Min(5, logits.shape[1])).indexes;
            top5 += best.eq(labels.unsqueeze(1)).sum().item<long>();
            confusion.Add(labels, best.select(1, 0));
        }
    }
}
