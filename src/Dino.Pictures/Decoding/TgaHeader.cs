using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>
/// The 18 bytes that a TGA file starts with. There is no signature among them: a file is one if its name says so and they make sense.
/// </summary>
internal readonly record struct TgaHeader(PictureHeader Picture, int Kind, int PixelBits, long DataStart)
{
    private const int Bytes = 18, Packed = 8;

    private static readonly string[] endings = [".tga", ".tpic", ".icb", ".vda", ".vst"];

    /// <summary>Whether a name ends like a TGA's.</summary>
    public static bool HasEnding(string name)
    {
        foreach (string ending in endings)
            if (name.EndsWith(ending, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }

    /// <summary>The header of a file that is a TGA; null if it cannot be one.</summary>
    public static TgaHeader? Read(ReadOnlySpan<byte> file)
    {
        if (file.Length < Bytes)
            return null;
        int mapped = file[1], kind = file[2], mapBits = file[7], bits = file[16], flags = file[17];
        int mapLength = BinaryPrimitives.ReadUInt16LittleEndian(file[5..]);
        int width = BinaryPrimitives.ReadUInt16LittleEndian(file[12..]), height = BinaryPrimitives.ReadUInt16LittleEndian(file[14..]);
        bool isMap = (kind & ~Packed) == 1, isGrey = (kind & ~Packed) == 3;
        bool fits = (kind & ~Packed) switch
        {
            1 => mapped == 1 && bits is 8 or 16 && mapBits is 16 or 24 or 32,
            2 => mapped <= 1 && bits is 15 or 16 or 24 or 32,
            3 => mapped <= 1 && bits is 8 or 16,
            _ => false,
        };
        // The two upper bits tell interleaved files, which nobody writes.
        if (!fits || width == 0 || height == 0 || flags >> 6 != 0)
            return null;
        int channels = isGrey ? bits / 8 : !isMap && bits == 32 ? 4 : 3;
        var picture = new PictureHeader(PictureFormat.Tga, width, height)
        {
            Channels = channels,
            HasOpacity = channels is 2 or 4 || (isMap && mapBits == 32),
        };
        return new TgaHeader(picture, kind, bits, Bytes + file[0] + (mapped == 1 ? mapLength * ((mapBits + 7) / 8) : 0));
    }

    /// <summary>Whether a file of so many bytes may hold all pixels.</summary>
    public bool IsComplete(long length) =>
        length - DataStart >= ((Kind & Packed) == 0 ? Picture.Pixels * ((PixelBits + 7) / 8) : (Picture.Pixels + 127) / 128 * 2);
}
