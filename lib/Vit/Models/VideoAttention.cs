namespace Vit.Models;

/// <summary>Which tokens of a film look at one another.</summary>
public enum VideoAttention
{
    /// <summary>Each at all, of every place and time (arXiv:2103.15691, model 1).</summary>
    Joint,

    /// <summary>In every block first at its own place, then at its own time (arXiv:2102.05095).</summary>
    Divided,
}
