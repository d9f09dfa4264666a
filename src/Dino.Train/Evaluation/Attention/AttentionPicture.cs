namespace Dino.Train.Evaluation.Attention;

/// <summary>A picture with the attention of the last block's CLS query to its patches.</summary>
public sealed class AttentionPicture
{
    /// <summary>Checks and keeps the arrays.</summary>
    /// <param name="name">What to call the picture.</param>
    /// <param name="rgb">height·width·3 bytes, row by row, red first.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="attention">(H, rows, columns), the CLS key left out.</param>
    /// <param name="heads">H.</param>
    /// <param name="rows">Patches from top to bottom; they cover the whole picture.</param>
    /// <param name="columns">Patches from left to right.</param>
    public AttentionPicture(string name, byte[] rgb, int width, int height, float[] attention, int heads, int rows, int columns)
    {
        if (rgb.Length != 3 * width * height)
            throw new ArgumentException($"A {width}×{height} picture needs {3 * width * height} bytes, not {rgb.Length}.", nameof(rgb));
        if (heads <= 0 || rows <= 0 || columns <= 0 || attention.Length != heads * rows * columns)
            throw new ArgumentException($"{attention.Length} values are not {heads} maps of {rows}×{columns}.", nameof(attention));
        (Name, Rgb, Width, Height) = (name, rgb, width, height);
        (Attention, Heads, Rows, Columns) = (attention, heads, rows, columns);
        Mean = new float[rows * columns];
        for (int i = 0; i < attention.Length; i++)
            Mean[i % Mean.Length] += attention[i] / heads;
    }

    /// <summary>What to call the picture.</summary>
    public string Name { get; }

    /// <summary>height·width·3 bytes, row by row, red first.</summary>
    public byte[] Rgb { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>(H, rows, columns).</summary>
    public float[] Attention { get; }

    /// <summary>H.</summary>
    public int Heads { get; }

    /// <summary>Patches from top to bottom.</summary>
    public int Rows { get; }

    /// <summary>Patches from left to right.</summary>
    public int Columns { get; }

    /// <summary>(rows, columns): mean over the heads.</summary>
    public float[] Mean { get; }

    /// <summary>(rows, columns): the attention of one head.</summary>
    public ReadOnlySpan<float> Head(int head) => Attention.AsSpan(head * Mean.Length, Mean.Length);

    /// <summary>(rows, columns): the patches that hold the share <paramref name="mass"/> of a map.</summary>
    public static bool[] Mask(ReadOnlySpan<float> map, double mass) => AttentionMask.AttentionMassMask(map, heads: 1, mass);
}
