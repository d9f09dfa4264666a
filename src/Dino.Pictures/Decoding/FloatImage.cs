namespace Dino.Pictures.Decoding;

/// <summary>
/// A picture of any depth and any number of channels, its values as the file stores them: planes (C, H, W) of floats, rows top to bottom.
/// </summary>
/// <remarks>Made to be reused: <see cref="Reshape"/> keeps the memory when it suffices.</remarks>
public sealed class FloatImage
{
    private float[] buffer = [];

    /// <summary>C, the channels: 1 for grey, 3 for RGB, 4 for RGB and opacity, any number for bands.</summary>
    public int Channels { get; private set; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; private set; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; private set; }

    /// <summary>The numbers that the file stores: 8 bits unless said otherwise.</summary>
    public PixelDepth Depth { get; set; } = PixelDepth.Bytes;

    /// <summary>All values, (C, H, W).</summary>
    public Span<float> Values => buffer.AsSpan(0, Channels * Width * Height);

    /// <summary>One channel, (H, W).</summary>
    public Span<float> Plane(int channel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(channel);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(channel, Channels);
        return buffer.AsSpan(channel * Width * Height, Width * Height);
    }

    /// <summary>Gives the image another size; the values are not defined afterwards.</summary>
    /// <exception cref="ArgumentException">It has more values than an array holds.</exception>
    public void Reshape(int channels, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(channels);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        ArgumentOutOfRangeException.ThrowIfNegative(height);
        if ((long)width * height > int.MaxValue || (long)width * height * channels > Array.MaxLength)
            throw new ArgumentException(
                $"An image of {channels} × {width} × {height} values is too large: at most {Array.MaxLength} values.");
        int needed = channels * width * height;
        // One huge picture does not keep its memory for ever.
        if (buffer.Length < needed || (buffer.Length > PictureLimits.LargeBytes / sizeof(float) && buffer.Length / 4 > needed))
            buffer = GC.AllocateUninitializedArray<float>(needed);
        (Channels, Width, Height) = (channels, width, height);
    }

    /// <summary>Gives the image another number of channels, of which those that it had stay as they are.</summary>
    internal void SetChannels(int channels)
    {
        long needed = (long)channels * Width * Height;
        if (needed > Array.MaxLength)
            throw new ArgumentException(
                $"An image of {channels} × {Width} × {Height} values is too large: at most {Array.MaxLength} values.");
        if (buffer.Length < needed)
            Array.Resize(ref buffer, (int)needed);
        Channels = channels;
    }

    /// <summary>Makes this image equal to another.</summary>
    public void CopyFrom(FloatImage source)
    {
        Reshape(source.Channels, source.Width, source.Height);
        source.Values.CopyTo(Values);
        Depth = source.Depth;
    }
}
