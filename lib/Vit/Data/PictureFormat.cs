namespace Vit.Data;

/// <summary>The kinds of picture files that <see cref="Picture"/> reads and writes.</summary>
public enum PictureFormat
{
    /// <summary>Portable Network Graphics; keeps every byte.</summary>
    Png,

    /// <summary>JPEG; for photographs, close to what was given.</summary>
    Jpeg,

    /// <summary>WebP; written as a lossy file, read as either.</summary>
    Webp,
}
