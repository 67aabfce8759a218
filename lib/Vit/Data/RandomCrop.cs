namespace Vit.Data;

/// <summary>Which part of a picture is shown, in pixels of the picture as it is stored, upright.</summary>
/// <param name="image">The picture's place in its batch.</param>
/// <param name="height">Rows of the picture.</param>
/// <param name="width">Columns of the picture.</param>
/// <returns>A rectangle of at least one pixel inside the picture.</returns>
public delegate (int Top, int Left, int Height, int Width) RandomCrop(int image, int height, int width);
