namespace Dino.Tensors.Pictures;

/// <summary>A crop to make.</summary>
/// <param name="Task">The address of its <see cref="CropTask"/>.</param>
/// <param name="Rows">The rows of the picture that its resize reads.</param>
/// <param name="Size">Its side in pixels.</param>
/// <param name="Row">Its place among the crops of its tensor.</param>
/// <param name="IsLocal">Whether that is the tensor of local crops.</param>
public readonly record struct CropEntry(int Task, int Rows, int Size, int Row, bool IsLocal);
