namespace Vit.Layers;

/// <summary>How a model learns where a patch stands (appendix D.4).</summary>
public enum PositionKind
{
    /// <summary>It does not: the encoder sees a bag of patches.</summary>
    None,

    /// <summary>One learned vector a position; the paper's choice.</summary>
    Learned,

    /// <summary>Fixed sines and cosines of the position in the sequence (arXiv:1706.03762, section 3.5).</summary>
    SinCos1D,

    /// <summary>Fixed sines and cosines of row and column (arXiv:2205.01580).</summary>
    SinCos2D,
}
