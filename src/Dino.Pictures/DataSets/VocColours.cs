
namespace Dino.Pictures.DataSets;

/// <summary>The colours in which PASCAL VOC and DAVIS show ids of objects.</summary>
internal static class VocColours
{
    private static readonly byte[] palette = Make();
    private static readonly Dictionary<int, byte> ids = Enumerable.Range(0, 256).ToDictionary(
        id => Key(palette[3 * id], palette[3 * id + 1], palette[3 * id + 2]), id => (byte)id);

    /// <summary>Red, green and blue of each id from 0 to 255.</summary>
    public static ReadOnlySpan<byte> Palette => palette;

    /// <summary>The id of a colour, or null if it is none's.</summary>
    public static byte? IdOf(byte red, byte green, byte blue) => ids.TryGetValue(Key(red, green, blue), out byte id) ? id : null;

    private static int Key(byte red, byte green, byte blue) => (red << 16) | (green << 8) | blue;

    /// <summary>The bits of an id, three at a time, become the highest free bits of red, green and blue.</summary>
    private static byte[] Make()
    {
        byte[] colours = new byte[3 * 256];
        for (int id = 0; id < 256; id++)
        {
            for (int bit = 0; bit < 8; bit++)
                colours[3 * id + bit % 3] |= (byte)(((id >> bit) & 1) << (7 - bit / 3));
        }
        return colours;
    }
}
