using Vit.Data;
using static TorchSharp.torch;

/// <summary>What the experiments with few labelled clothes have in common.</summary>
static class FewLabels
{
    /// <summary>All images of a set as a model takes them, [N, 1, 28, 28].</summary>
    public static Tensor Normalized(ImageSet set) => FashionMnist.Normalization.Apply(set.Images.to(float32) / 255);

    /// <summary>The share of inputs that a model knows, from what it is given in the place of images.</summary>
    public static double Accuracy(nn.Module<Tensor, Tensor> model, Tensor inputs, Tensor labels)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        model.eval();
        return cat([.. inputs.split(250).Select(part => model.call(part).argmax(1))]).eq(labels).to(float32).mean().item<float>();
    }
}
