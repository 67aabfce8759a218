namespace Vit.Models;

/// <summary>What the head reads (appendix D.3).</summary>
public enum Pooling
{
    /// <summary>The class token after the last block; the paper's choice.</summary>
    ClassToken,

    /// <summary>The mean of the patches after the last block; a class token is then left out, unless it is asked for.</summary>
    Mean,
}
