namespace Dino.Pictures.Decoding;

/// <summary>What one picture may take.</summary>
/// <param name="MaxPixels">Its pixels.</param>
internal readonly record struct DecodeLimits(int MaxPixels)
{
    // A pixel as bytes of RGBA and RGB.
    private const int PixelBytes = 7;

    /// <summary>
    /// Bytes that decoding may take beside the file: seven for each of the pixels that are allowed. The default allows more pixels than
    /// that, since most files need fewer bytes, but no more memory than what it was made for: 256 MiB of RGB, with RGBA beside it.
    /// </summary>
    public long Budget => MaxPixels == ImageDecoder.DefaultMaxPixels ? (1L << 28) / 3 * PixelBytes : (long)MaxPixels * PixelBytes;

    /// <summary>Pixels times scans that may be gone through.</summary>
    public long Work => 20 * (Budget / PixelBytes);

    /// <summary>Why a picture of some size may not be decoded, or null.</summary>
    /// <param name="width">Its width.</param>
    /// <param name="height">Its height.</param>
    /// <param name="pixelBytes">Bytes that decoding takes for each pixel.</param>
    public string? Refusal(long width, long height, double pixelBytes)
    {
        if (width < 1 || height < 1)
            return $"its header states an empty picture of {width} × {height} pixels";
        if (width * height > MaxPixels)
            return $"its header states {width} × {height} pixels, more than the {MaxPixels} that are allowed (`MaxPixels`)";
        double bytes = width * height * pixelBytes;
        return bytes > Budget
            ? $"decoding its {width} × {height} pixels takes {(long)bytes >> 20} MiB in the way it is stored, more than the "
                + $"{Budget >> 20} MiB that are allowed (`MaxPixels`)"
            : null;
    }
}
