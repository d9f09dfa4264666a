namespace Dino.Pictures.Decoding;

/// <summary>Takes the stored rows of a picture to their place in the planes of the upright one.</summary>
/// <param name="image">Receives them.</param>
/// <param name="width">Of the stored picture.</param>
/// <param name="height">Of the stored picture.</param>
/// <param name="orientation">How it lies.</param>
internal readonly struct UprightPlanes(FloatImage image, int width, int height, Orientation orientation)
{
    /// <summary>Gives the image its upright size.</summary>
    public void Begin(int channels)
    {
        if (orientation.IsTransposed)
            image.Reshape(channels, height, width);
        else
            image.Reshape(channels, width, height);
    }

    /// <summary>Puts one channel of a stored row.</summary>
    /// <param name="values">Each <paramref name="step"/>-th is a pixel's.</param>
    /// <param name="step">From one pixel to the next.</param>
    /// <param name="channel">The plane.</param>
    /// <param name="y">The row.</param>
    public void Put<T>(ReadOnlySpan<T> values, int step, int channel, int y)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        var plane = image.Plane(channel);
        bool transposed = orientation.IsTransposed;
        bool againstRight = transposed ? orientation.AgainstY : orientation.AgainstX;
        bool againstDown = transposed ? orientation.AgainstX : orientation.AgainstY;
        int line = againstDown ? height - 1 - y : y, at = transposed ? line : line * width, right = transposed ? height : 1;
        if (againstRight)
            (at, right) = (at + (width - 1) * right, -right);
        for (int x = 0, from = 0; x < width; x++, from += step, at += right)
            plane[at] = float.CreateTruncating(values[from]);
    }
}
