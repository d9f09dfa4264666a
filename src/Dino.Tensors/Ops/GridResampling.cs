namespace Dino.Tensors.Ops;

/// <summary>
/// How position embeddings are resampled to another grid (<see cref="ResizeGridOp"/>); each as the weights were trained with.
/// </summary>
public enum GridResampling
{
    /// <summary>
    /// DINO, and DINOv2 without registers: cubic convolution with a = −0.75, indices clamped at the border, no antialiasing, output cell i
    /// at
    /// input coordinate (i + ½) · s / (n + 0.1) − ½. The 0.1 kept floor() from losing a row in the original and shifts every sample.
    /// </summary>
    Shifted,

    /// <summary>
    /// DINOv2 with registers: cubic convolution with a = −0.5, as wide as the larger of two cells is, cut off at the border and made to sum
    /// to 1
    /// (Pillow's), output cell i at input coordinate (i + ½) · s / n − ½.
    /// </summary>
    Antialiased,
}
