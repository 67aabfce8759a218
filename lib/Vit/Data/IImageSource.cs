using static TorchSharp.torch;

namespace Vit.Data;

/// <summary>Labelled images that are read by position, from memory or from files; safe to read on several threads at once.</summary>
public interface IImageSource
{
    /// <summary>N.</summary>
    int Count { get; }

    /// <summary>K names; a label is a position here.</summary>
    IReadOnlyList<string> ClassNames { get; }

    /// <summary>How they become what a model takes. <see cref="Read"/> leaves the normalisation to whoever changes the pixels first.</summary>
    Preprocessing Preprocessing { get; }

    /// <summary>The images at these positions, in this order, as tensors of the caller's own.</summary>
    /// <param name="positions">B positions from 0 to N - 1.</param>
    /// <param name="crop">Which part of each picture is resized; null: what <see cref="Preprocessing.Crop"/> says.</param>
    /// <returns>
    /// Images [B, C, H, W], float32 in [0, 1], and labels [B], int64; fewer than positions, or none, only where a source says so.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">A position lies outside the source.</exception>
    (Tensor Images, Tensor Labels) Read(long[] positions, RandomCrop? crop = null);
}
