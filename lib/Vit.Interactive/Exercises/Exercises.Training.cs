using static TorchSharp.torch;

namespace Vit.Interactive;

public static partial class Exercises
{
    /// <summary>Cross-entropy that asks for a little less certainty.</summary>
    /// <param name="smoothedLoss">From logits [B, K], labels [B] and ε to one number.</param>
    public static string SmoothedLoss(Func<Tensor, Tensor, double, Tensor> smoothedLoss)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        const double Epsilon = 0.1;
        const int Classes = 10;
        var (logits, labels) = (randn([6, Classes], generator: generator), randint(Classes, [6], generator: generator, dtype: int64));
        var yours = smoothedLoss(logits, labels, Epsilon);
        if (yours.numel() != 1)
            return WrongShape(yours, "that of one number: take the mean over the batch");
        bool Is(Tensor other) => Math.Abs((yours - other).item<float>()) < 1e-5;
        var logP = logits.log_softmax(1);
        var right = nn.functional.cross_entropy(logits, labels);
        var all = -logP.mean();
        if (Is((1 - Epsilon) * right + Epsilon * all))
            return "Right: most of the usual loss, and a little of the mean over all classes.";
        if (Is(right))
            return "Not yet: this is the loss without smoothing.";
        if (Is((1 - Epsilon) * right))
            return "Not yet: the other classes have a part in it as well.";
        if (Is((1 - Epsilon) * right + Epsilon * Classes * all))
            return "Not yet: each class is asked for ε / K, not for ε.";
        return Is((1 - Epsilon) * right + Epsilon * (Classes * all - right) / (Classes - 1))
            ? "Not yet: the ε is shared by all K classes; the right one gets a part of it too."
            : "Not yet: for one image, write down the probability that is asked of each class. What do they sum to?";
    }

    /// <summary>How often images of each class are recognised.</summary>
    /// <param name="accuracyByClass">From a confusion matrix [true, predicted], whole numbers, to [K].</param>
    public static string AccuracyByClass(Func<Tensor, Tensor> accuracyByClass)
    {
        using var scope = NewDisposeScope();
        var confusion = tensor(new long[] { 8, 2, 0, 1, 6, 3, 5, 0, 5 }).reshape(3, 3);
        var yours = accuracyByClass(confusion).to(float32);
        if (!yours.shape.SequenceEqual([3]))
            return WrongShape(yours, "[K] = [3] for three classes");
        bool Is(params double[] values) => Same(yours, tensor(values, dtype: float32), 1e-4);
        if (Is(0.8, 0.6, 0.5))
            return "Right: of the images of a class, the share on the diagonal. It is called the recall of the class.";
        if (Is(8.0 / 14, 6.0 / 8, 5.0 / 8))
            return "Not yet: this is how often a prediction is right, the precision. How often is an image of the class recognised?";
        if (Is(8.0 / 30, 6.0 / 30, 5.0 / 30))
            return "Not yet: over all images. Each class has images of its own.";
        return Is(8, 6, 5)
            ? "Not yet: these are numbers of images. Of how many?"
            : "Not yet: where do the right answers stand, and where do all images of a class?";
    }
}
