using static TorchSharp.torch;

namespace Vit.Training;

/// <summary>What training makes small.</summary>
/// <param name="model">The model that computes, in training mode; with bfloat16 it is the copy.</param>
/// <param name="images">[B, C, H, W], augmented and normalised.</param>
/// <param name="targets">[B, K], float32: the probability that each class ought to get; rows sum to 1.</param>
/// <returns>The loss, one number, float32; and the logits [B, K] by which the training accuracy is counted.</returns>
public delegate (Tensor Loss, Tensor Logits) TrainingLoss(nn.Module<Tensor, Tensor> model, Tensor images, Tensor targets);
