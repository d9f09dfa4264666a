namespace Dino.Pictures.Cutting;

/// <summary>A crop to make.</summary>
/// <param name="Task">The address of its <see cref="CropTask"/>.</param>
/// <param name="Rows">The rows of the picture that its resize reads.</param>
/// <param name="Size">Its side in pixels.</param>
/// <param name="Output">The element of the tensor at which its 3 · Size · Size floats begin.</param>
internal readonly record struct CropEntry(int Task, int Rows, int Size, int Output);
