using System.Buffers.Binary;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Loading;

/// <summary>A part of a folder that stands for all of it.</summary>
internal static class PictureSample
{
    /// <summary>So many samples at most, spread evenly.</summary>
    public static IEnumerable<int> Of(int pictures, int most)
    {
        int count = Math.Min(pictures, most);
        return Enumerable.Range(0, count).Select(i => (int)((long)i * pictures / count));
    }

    /// <summary>The bits of a value, where a file's first bytes tell them.</summary>
    /// <exception cref="ImageDecodeException">The file cannot be read.</exception>
    public static int? BitsOf(PictureInput input)
    {
        Span<byte> start = stackalloc byte[32];
        try
        {
            start = start[..input.Read(start, 0)];
        }
        catch (IOException e)
        {
            throw new ImageDecodeException(input.Name, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
        if (PictureSignature.IsPng(start))
            return start.Length > 24 ? start[24] : null;
        if (PictureSignature.IsJpeg(start) || start.StartsWith("GIF8"u8) || start.StartsWith("BM"u8)
            || (start.StartsWith("RIFF"u8) && start.Length >= 12 && BinaryPrimitives.ReadUInt32BigEndian(start[8..]) == 0x57454250))
            return 8;
        return null;
    }

    /// <summary>
    /// The channels that hold values: a fourth that is full everywhere was added, or is the opacity of an opaque picture.
    /// </summary>
    public static int Bands(FloatImage image) =>
        image.Channels == 4 && !image.Plane(3).ContainsAnyExcept((float)image.Depth.Full.High) ? 3 : image.Channels;
}
