using System.Buffers;

namespace Dino.Pictures.Decoding;

/// <summary>
/// What a picture may take. A file that is no picture, or too large a one, is refused by its first bytes, whatever its length.
/// </summary>
internal static class PictureLimits
{
    /// <summary>Scratch of more bytes than this is given back after use.</summary>
    public const int LargeBytes = 64 << 20;

    /// <summary>A side that the codecs take.</summary>
    private const int LongestSide = 1_000_000;

    /// <summary>A file of more bytes is no picture, whatever it says of its size.</summary>
    public const int MostFileBytes = int.MaxValue - Metadata;

    private const int FirstBytes = 4096, MostBytes = 16 << 20, Metadata = 64 << 20, LargestPixel = 8;

    /// <summary>All memory that there is, of the machine or of the container that it is given.</summary>
    public static long Memory { get; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Whether so many bytes are too many to be taken by all threads at once.</summary>
    public static bool IsHeavy(long bytes) => bytes > Memory / (4 * Environment.ProcessorCount);

    /// <summary>Looks at the first bytes of a picture.</summary>
    /// <param name="input">Its file.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="length">The bytes of the file.</param>
    /// <returns>What it says of itself; null where only the codec can tell.</returns>
    /// <exception cref="ImageDecodeException">It is no picture, or may not be decoded; the message says why.</exception>
    public static PictureHeader? Check(PictureInput input, DecodeLimits limits, out int length)
    {
        try
        {
            long bytes = input.Length;
            string? fault = bytes == 0 ? "the file is empty" : null;
            PictureHeader? header = null;
            for (int start = FirstBytes; fault is null && header is null; start *= 64)
            {
                fault = Look(input, (int)Math.Min(start, bytes), out header);
                if (start >= Math.Min(bytes, MostBytes))
                    break;
            }
            fault ??= Refusal(header, bytes, limits);
            if (fault is not null)
                throw new ImageDecodeException(input.Name, fault);
            length = (int)bytes;
            return header;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            throw new ImageDecodeException(input.Name, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Why a JPEG of so many scans takes too long, or null.</summary>
    public static string? TooManyScans(PictureHeader header, int scans, DecodeLimits limits) =>
        header.Pixels * scans > limits.Work
        ? $"its {scans} scans of {header.Width} × {header.Height} pixels are more work than is allowed (`MaxPixels`)"
        : null;

    /// <summary>All bytes of a picture's file.</summary>
    /// <exception cref="ImageDecodeException">It is no picture, or may not be decoded; the message says why.</exception>
    public static byte[] Read(string path, int maxPixels)
    {
        using var input = PictureInput.OfFile(path);
        Check(input, new DecodeLimits(maxPixels), out int length);
        byte[] bytes = new byte[length];
        Fill(input, bytes);
        return bytes;
    }

    /// <summary>Fills the span with the file's first bytes.</summary>
    /// <exception cref="ImageDecodeException">It has fewer, or cannot be read.</exception>
    public static void Fill(PictureInput input, Span<byte> bytes)
    {
        try
        {
            for (int read = 0; read < bytes.Length;)
            {
                int count = input.Read(bytes[read..], read);
                if (count == 0)
                    throw new ImageDecodeException(input.Name, "the file became shorter while it was read");
                read += count;
            }
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            throw new ImageDecodeException(input.Name, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    // A part of an archive may be damaged, too.
    private static bool IsUnreadable(Exception e) =>
        e is IOException or UnauthorizedAccessException or NotSupportedException or InvalidDataException;

    private static string? Look(PictureInput input, int length, out PictureHeader? header)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int read = 0;
            while (read < length && input.Read(buffer.AsSpan(read, length - read), read) is > 0 and var count)
                read += count;
            var start = buffer.AsSpan(0, read);
            var format = PictureSignature.FormatOf(start, input.Name);
            header = PictureHeader.Read(start, format);
            return format == PictureFormat.Unknown ? PictureSignature.Reason(start) : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string? Refusal(PictureHeader? header, long length, DecodeLimits limits)
    {
        if (header is not { Width: > 0, Height: > 0 } picture) // a codec may know better, of a file of ordinary size
            return length > Metadata ? $"the file has {length} bytes, and no size of a picture in the first {MostBytes}" : null;
        string size = $"{picture.Width} × {picture.Height} pixels";
        if (picture.Pixels > limits.MaxPixels)
            return $"its header states {size}, more than the {limits.MaxPixels} that are allowed (`MaxPixels`)";
        if (Math.Max(picture.Width, picture.Height) > LongestSide)
            return $"its header states {size}; a side of more than {LongestSide} is not decoded";
        if (length > Math.Min(Metadata + LargestPixel * picture.Pixels, MostFileBytes))
            return $"the file has {length} bytes, far more than a picture of {size} takes";
        if (picture.Bytes > limits.Budget)
            return $"decoding its {size} takes {picture.Bytes >> 20} MiB in the way it is stored (progressive, interlaced or lossless "
                + $"WebP), "
                + $"more than the {limits.Budget >> 20} MiB that are allowed (`MaxPixels`)";
        return picture.Bytes + length > Memory / 4 * 3
            ? $"decoding its {size} takes {(picture.Bytes + length) >> 20} MiB, and there are {Memory >> 20} MiB in all" : null;
    }
}
