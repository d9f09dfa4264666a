namespace Dino.Pictures.Decoding;

/// <summary>
/// Gives a picture the number of channels that is wanted: grey to RGB by repeating it, RGB to grey by ITU-R 601, opacity dropped or added.
/// </summary>
internal static class ChannelFit
{
    /// <summary>Makes the channels of a picture those that are wanted.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="wanted">Their number; 0 leaves them as stored.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? Apply(FloatImage image, int wanted)
    {
        int stored = image.Channels;
        if (wanted == 0 || wanted == stored)
            return null;
        if (!(stored is >= 1 and <= 4 && wanted is 1 or 3 or 4))
            return $"it has {stored} {(stored == 1 ? "channel" : "channels")}, and {wanted} are wanted (`Channels`)";
        bool isGrey = stored <= 2, hasOpacity = stored is 2 or 4;
        if (wanted == 1)
        {
            if (!isGrey)
                Luma(image.Plane(0), image.Plane(1), image.Plane(2));
            image.SetChannels(1);
            return null;
        }
        // Opacity goes to its place first, since the colours may take the one that it has.
        image.SetChannels(Math.Max(stored, wanted));
        if (wanted == 4)
        {
            if (hasOpacity)
                image.Plane(stored - 1).CopyTo(image.Plane(3));
            else
                image.Plane(3).Fill((float)image.Depth.Full.High);
        }
        if (isGrey)
        {
            image.Plane(0).CopyTo(image.Plane(1));
            image.Plane(0).CopyTo(image.Plane(2));
        }
        image.SetChannels(wanted);
        return null;
    }

    private static void Luma(Span<float> red, ReadOnlySpan<float> green, ReadOnlySpan<float> blue)
    {
        for (int i = 0; i < red.Length; i++)
            red[i] = 0.299f * red[i] + 0.587f * green[i] + 0.114f * blue[i];
    }
}
