using System.Buffers;
using Dino.Tensors.Io;
using Microsoft.Win32.SafeHandles;

namespace Dino.Pictures.Decoding;

/// <summary>
/// What a picture may take. Files are opened here, so that one that is no picture, or too large a one, is refused by its first bytes,
/// whatever its length.
/// </summary>
internal static class PictureLimits
{
    /// <summary>Scratch of more bytes than this is given back after use.</summary>
    public const int LargeBytes = 64 << 20;

    /// <summary>A side that the codecs take.</summary>
    private const int LongestSide = 1_000_000;

    // An encoder makes about ten scans of a progressive JPEG.
    private const int ScansOfTheLargest = 20;

    private const int FirstBytes = 4096, MostBytes = 16 << 20, Metadata = 64 << 20, LargestPixel = 8;

    /// <summary>All memory that there is, of the machine or of the container that it is given.</summary>
    public static long Memory { get; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Whether so many bytes are too many to be taken by all threads at once.</summary>
    public static bool IsHeavy(long bytes) => bytes > Memory / (4 * Environment.ProcessorCount);

    /// <summary>Opens a picture's file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxPixels">The largest picture.</param>
    /// <param name="header">What it says of itself; null where only the codec can tell.</param>
    /// <param name="length">The bytes of the file.</param>
    /// <exception cref="ImageDecodeException">It is no picture, or may not be decoded; the message says why.</exception>
    public static SafeFileHandle Open(string path, int maxPixels, out PictureHeader? header, out int length)
    {
        SafeFileHandle handle;
        try
        {
            handle = RegularFile.Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ImageDecodeException(path, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
        try
        {
            long bytes = RandomAccess.GetLength(handle);
            string? fault = bytes == 0 ? "the file is empty" : null;
            header = null;
            for (int start = FirstBytes; fault is null && header is null; start *= 64)
            {
                fault = Look(handle, (int)Math.Min(start, bytes), out header);
                if (start >= Math.Min(bytes, MostBytes))
                    break;
            }
            fault ??= Refusal(header, bytes, maxPixels);
            if (fault is not null)
                throw new ImageDecodeException(path, fault);
            length = (int)bytes;
            return handle;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            handle.Dispose();
            throw new ImageDecodeException(path, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Why a JPEG of so many scans takes too long, or null.</summary>
    public static string? TooManyScans(PictureHeader header, int scans, int maxPixels) =>
        header.Pixels * scans > (long)ScansOfTheLargest * maxPixels
        ? $"its {scans} scans of {header.Width} × {header.Height} pixels are more work than is allowed (`MaxPixels`)"
        : null;

    /// <summary>All bytes of a picture's file.</summary>
    /// <inheritdoc cref="Open"/>
    public static byte[] Read(string path, int maxPixels)
    {
        using var handle = Open(path, maxPixels, out _, out int length);
        byte[] bytes = new byte[length];
        Fill(handle, bytes, path);
        return bytes;
    }

    /// <summary>Fills the span with the file's first bytes.</summary>
    /// <exception cref="ImageDecodeException">It has fewer, or cannot be read.</exception>
    public static void Fill(SafeFileHandle handle, Span<byte> bytes, string path)
    {
        try
        {
            for (int read = 0; read < bytes.Length;)
            {
                int count = RandomAccess.Read(handle, bytes[read..], read);
                if (count == 0)
                    throw new ImageDecodeException(path, "the file became shorter while it was read");
                read += count;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageDecodeException(path, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static string? Look(SafeFileHandle handle, int length, out PictureHeader? header)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int read = 0;
            while (read < length && RandomAccess.Read(handle, buffer.AsSpan(read, length - read), read) is > 0 and var count)
                read += count;
            var start = buffer.AsSpan(0, read);
            bool matches = PictureSignature.Matches(start);
            header = matches ? PictureHeader.Read(start) : null;
            return matches ? null : PictureSignature.Reason(start);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string? Refusal(PictureHeader? header, long length, int maxPixels)
    {
        if (header is not { Width: > 0, Height: > 0 } picture) // a codec may know better, of a file of ordinary size
            return length > Metadata ? $"the file has {length} bytes, and no size of a picture in the first {MostBytes}" : null;
        string size = $"{picture.Width} × {picture.Height} pixels";
        if (picture.Pixels > maxPixels)
            return $"its header states {size}, more than the {maxPixels} that are allowed (`MaxPixels`)";
        if (Math.Max(picture.Width, picture.Height) > LongestSide)
            return $"its header states {size}; a side of more than {LongestSide} is not decoded";
        if (length > Math.Min(Metadata + LargestPixel * picture.Pixels, int.MaxValue - Metadata))
            return $"the file has {length} bytes, far more than a picture of {size} takes";
        if (picture.Bytes > PictureHeader.Budget(maxPixels))
            return $"decoding its {size} takes {picture.Bytes >> 20} MiB in the way it is stored (progressive, interlaced or lossless "
                + $"WebP), "
                + $"more than the {PictureHeader.Budget(maxPixels) >> 20} MiB that are allowed (`MaxPixels`)";
        return picture.Bytes + length > Memory / 4 * 3
            ? $"decoding its {size} takes {(picture.Bytes + length) >> 20} MiB, and there are {Memory >> 20} MiB in all" : null;
    }
}
