using Dino.Tensors.Kernels;

namespace Dino.Pictures.Cutting;

/// <summary>
/// Pillow's way from RGB to 8-bit hue, saturation and value and back, without the doubles that it computes with. There, saturation is a
/// function of two bytes and hue of two bytes and one of six cases, so tables hold what the host computes. Back, a level is
/// ⌊v (1 − s f) + ½⌋ of two floats: a product of whole numbers, whose cut-off bits never decide (a test goes through all 2²⁴).
/// </summary>
internal static class HueTables
{
    public const int FractionAt = 0, SaturationAt = 256, SectorAt = 512;

    private const int ToSaturationAt = 768, ToHueAt = ToSaturationAt + 65536 / 4;

    public const int Words = ToHueAt + 6 * 65536 / 4;

    private const int FractionBits = 29, SaturationBits = 31, LevelBits = 52;

    /// <param name="saturation">The 8-bit saturation for [highest · 256 + highest − lowest].</param>
    /// <param name="hue">
    /// The 8-bit hue for [((2 · sector + case) · 256 + highest − lowest) · 256 + distance]; see <see cref="Turn"/>.
    /// </param>
    public static int[] Make(ReadOnlySpan<byte> saturation, ReadOnlySpan<byte> hue)
    {
        int[] words = new int[Words];
        for (int h = 0; h < 256; h++)
        {
            float sector = h * 6 / 255f, whole = MathF.Floor(sector), fraction = sector - whole;
            double used = (int)whole % 2 != 0 ? fraction : 1.0 - fraction;
            words[FractionAt + h] = (int)(used * (1 << FractionBits));
            words[SaturationAt + h] = (int)(uint)(h / 255f * (1u << SaturationBits));
            words[SectorAt + h] = (int)whole % 6;
        }
        for (int i = 0; i < saturation.Length; i++)
            words[ToSaturationAt + i / 4] |= saturation[i] << (8 * (i % 4));
        for (int i = 0; i < hue.Length; i++)
            words[ToHueAt + i / 4] |= hue[i] << (8 * (i % 4));
        return words;
    }

    /// <summary>Adds to the hue of a pixel, unless it is <see cref="CropTask.NoHue"/>.</summary>
    public static int Turn(ViewMemory tables, int pixel, int shift)
    {
        int r = PackedPixel.Red(pixel), g = PackedPixel.Green(pixel), b = PackedPixel.Blue(pixel);
        int v = Max(r, Max(g, b)), span = v + Max(-r, Max(-g, -b));
        if (span == 0 || shift == CropTask.NoHue)
            return pixel;
        // Distances of the other two channels from the highest; one of them is the whole span, and it and the other's distance tell the
        // hue.
        int sector = r == v ? 0 : g == v ? 1 : 2;
        int plus = v - (sector == 0 ? b : sector == 1 ? r : g), minus = v - (sector == 0 ? g : sector == 1 ? b : r);
        int which = plus == span ? 0 : 1;
        int h = Byte(tables, ToHueAt, (((2 * sector + which) << 8) + span) * 256 + (which == 0 ? minus : plus));
        int s = Byte(tables, ToSaturationAt, v * 256 + span);
        h = (h + shift) & 255;

        uint saturation = (uint)tables.Int(SaturationAt + s);
        int p = Level(v, saturation, 1 << FractionBits), w = Level(v, saturation, (uint)tables.Int(FractionAt + h));
        // Sector: 0: v w p   1: w v p   2: p v w   3: p w v   4: w p v   5: v p w
        int place = tables.Int(SectorAt + h);
        int red = place == 0 || place == 5 ? v : place == 2 || place == 3 ? p : w;
        int green = place == 1 || place == 2 ? v : place == 4 || place == 5 ? p : w;
        int blue = place == 3 || place == 4 ? v : place == 0 || place == 1 ? p : w;
        return PackedPixel.Pack(red, green, blue);
    }

    /// <summary>⌊v (1 − saturation · fraction) + ½⌋</summary>
    public static int Level(int v, uint saturation, uint fraction)
    {
        ulong share = ((ulong)saturation * fraction) >> (SaturationBits + FractionBits - LevelBits);
        return (int)(((uint)v * ((1UL << LevelBits) - share) + (1UL << (LevelBits - 1))) >> LevelBits);
    }

    private static int Byte(ViewMemory tables, int start, int i) => (tables.Int(start + (i >> 2)) >> (8 * (i & 3))) & 255;

    private static int Max(int a, int b) => a > b ? a : b;
}
