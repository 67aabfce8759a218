namespace Vit.Training;

/// <summary>In what numbers a model computes while it is trained.</summary>
public enum Precision
{
    /// <summary>32 bits throughout (TF32 inside CUDA's matrix products).</summary>
    Float32,

    /// <summary>
    /// A bfloat16 copy of the model computes, float32 master weights are updated (arXiv:1710.03740, without loss scaling:
    /// bfloat16 has the range of float32).
    /// </summary>
    BFloat16,

    /// <summary>
    /// Whichever of the two is faster: a training takes a few steps of each before its first, and stays with what it found
    /// when it is resumed. bfloat16 pays on processors that multiply in it, and on GPUs.
    /// </summary>
    Fastest,
}
