namespace Vit.Data;

/// <summary>The changes of colour and shape that RandAugment chooses from.</summary>
[Flags]
public enum Distortions
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Turns by at most 30°.</summary>
    Rotate = 1,

    /// <summary>Shifts the rows against each other, by at most 0.3 of their distance.</summary>
    ShearX = 2,

    /// <summary>Shifts the columns against each other, by at most 0.3 of their distance.</summary>
    ShearY = 4,

    /// <summary>Moves sideways by at most 0.45 of the width.</summary>
    TranslateX = 8,

    /// <summary>Moves up or down by at most 0.45 of the height.</summary>
    TranslateY = 16,

    /// <summary>Multiplies the pixels by 0.1 to 1.9.</summary>
    Brightness = 32,

    /// <summary>Multiplies the pixels' distance from the image's mean by 0.1 to 1.9.</summary>
    Contrast = 64,

    /// <summary>Multiplies the pixels' distance from grey by 0.1 to 1.9; never chosen for images of one channel.</summary>
    Saturation = 128,

    /// <summary>Multiplies the pixels' distance from their blurred surroundings by 0.1 to 1.9.</summary>
    Sharpness = 256,

    /// <summary>Leaves 8 to 4 bits of each pixel.</summary>
    Posterize = 512,

    /// <summary>Inverts the pixels above a threshold, which lies between 1 and 0.</summary>
    Solarize = 1024,

    /// <summary>Stretches each channel over the whole of [0, 1], whatever the magnitude.</summary>
    AutoContrast = 2048,

    /// <summary>The five that move pixels.</summary>
    Shape = Rotate | ShearX | ShearY | TranslateX | TranslateY,

    /// <summary>The seven that change their values.</summary>
    Color = Brightness | Contrast | Saturation | Sharpness | Posterize | Solarize | AutoContrast,

    /// <summary>All twelve.</summary>
    All = Shape | Color,
}
