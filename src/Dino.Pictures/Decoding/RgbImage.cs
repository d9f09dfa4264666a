namespace Dino.Pictures.Decoding;

/// <summary>An 8-bit picture, rows top to bottom, pixels interleaved R, G, B: (Height, Width, 3).</summary>
/// <remarks>
/// Made to be reused: <see cref="Reshape"/> keeps the memory when it suffices, so that a worker's images stop allocating
/// once they have met the largest picture.
/// </remarks>
public sealed class RgbImage
{
    /// <summary>Bytes that may be read and overwritten behind the last pixel: vector loops then need no scalar tail.</summary>
    internal const int Padding = 64;

    /// <summary>The largest number of pixels that an image can hold.</summary>
    public const int MaxPixels = (int.MaxValue - 4096) / 3;

    private byte[] buffer = [];

    /// <summary>An empty image (0 × 0).</summary>
    public RgbImage()
    {
    }

    /// <summary>An image of the given size; its pixels are not defined.</summary>
    public RgbImage(int width, int height) => Reshape(width, height);

    /// <summary>Width in pixels.</summary>
    public int Width { get; private set; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; private set; }

    /// <summary>
    /// How opaque each pixel is, the same number in all three channels of a picture of the same size; null for an opaque picture. Colours
    /// are
    /// as stored, not multiplied by it.
    /// </summary>
    public RgbImage? Opacity { get; set; }

    /// <summary>The pixels, (Height, Width, 3).</summary>
    public Span<byte> Pixels => buffer.AsSpan(0, Width * Height * 3);

    /// <summary>The pixels and the <see cref="Padding"/> behind them.</summary>
    internal Span<byte> Padded => buffer.AsSpan(0, Width * Height * 3 + Padding);

    /// <summary>All memory that it has.</summary>
    internal Span<byte> Memory => buffer;

    /// <summary>One row of pixels, (Width, 3).</summary>
    public Span<byte> Row(int y) => Pixels.Slice(y * Width * 3, Width * 3);

    /// <summary>Gives the image another size; the pixels are not defined afterwards.</summary>
    public void Reshape(int width, int height) => Reserve(width, height, 3);

    /// <summary>Gives the image another size, and memory for so many bytes a pixel: room for what is yet to become RGB in place.</summary>
    internal void Reserve(int width, int height, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        if ((long)width * height > MaxPixels)
            throw new ArgumentException($"An image of {width} × {height} pixels is too large: at most {MaxPixels} pixels.");
        int needed = checked(width * height * bytes + Padding);
        // One huge picture does not keep its memory for ever.
        if (buffer.Length < needed || (buffer.Length > PictureLimits.LargeBytes && buffer.Length / 4 > needed))
            buffer = GC.AllocateUninitializedArray<byte>(needed);
        (Width, Height) = (width, height);
    }

    /// <summary>Gives the memory back; the image is empty.</summary>
    internal void Release() => (buffer, Width, Height) = ([], 0, 0);

    /// <summary>Makes this image equal to another.</summary>
    public void CopyFrom(RgbImage source)
    {
        Reshape(source.Width, source.Height);
        source.Pixels.CopyTo(Pixels);
        if (source.Opacity is { } opacity)
            (Opacity ??= new RgbImage()).CopyFrom(opacity);
        else
            Opacity = null;
    }

    /// <summary>Exchanges size and memory of the colours with another image: the end of a pass that cannot work in place.</summary>
    internal void Swap(RgbImage other)
    {
        (buffer, other.buffer) = (other.buffer, buffer);
        (Width, other.Width) = (other.Width, Width);
        (Height, other.Height) = (other.Height, Height);
    }
}
