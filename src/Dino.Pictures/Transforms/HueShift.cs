using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>RGB → HSV → shifted H → RGB with 8 bits for H, S and V, bit for bit as Pillow's <c>convert</c> there and back.</summary>
/// <remarks>
/// The truncations to 8 bits fall on exact ties so often that each step must keep Pillow's mix of float and double:
/// four doubles at a time where Pillow's C code promotes, eight floats elsewhere. The round trip loses colours, so it happens at shift 0
/// too.
/// </remarks>
internal static class HueShift
{
    private static readonly Lazy<(byte[] Saturation, byte[] Hue)> tables = new(MakeTables);

    /// <summary>Shifts H by trunc(255 · factor) modulo 256, in place.</summary>
    public static void Apply(RgbImage image, double factor)
    {
        var shift = Vector256.Create(StepsOf(factor));
        ref byte pixels = ref MemoryMarshal.GetReference(image.Padded);
        for (int i = 0, bytes = image.Pixels.Length; i < bytes; i += PixelLanes.Bytes)
        {
            ref byte at = ref Unsafe.Add(ref pixels, i);
            (Vector256<int> r, Vector256<int> g, Vector256<int> b) = PixelLanes.Load(ref at);
            (Vector256<int> h, Vector256<int> s, Vector256<int> v) = ToHsv(r, g, b);
            h = (h + shift) & Vector256.Create(255);
            (r, g, b) = ToRgb(h, s, v);
            PixelLanes.Store(ref at, r, g, b);
        }
    }

    /// <summary>A share of the circle in the 256 hues that there are.</summary>
    public static int StepsOf(double factor) => (int)(factor * 255);

    /// <summary>
    /// What this way to hue and saturation gives, as tables: saturation for [highest · 256 + highest − lowest]; hue for [((2 · sector +
    /// which) ·
    /// 256 + highest − lowest) · 256 + distance]. The sector is the channel on top (R before G before B). Of the other two in its order
    /// (B, G · R, B · G, R), which is 0 where the first is lowest, and the distance is that of the second from the highest; else the
    /// first's.
    /// </summary>
    public static (byte[] Saturation, byte[] Hue) Tables => tables.Value;

    private static (byte[] Saturation, byte[] Hue) MakeTables()
    {
        byte[] saturation = new byte[1 << 16], hue = new byte[6 << 16];
        for (int top = 1; top < 256; top++)
            for (int span = 1; span <= top; span++)
                saturation[top * 256 + span] =
                    (byte)ToHsv(Vector256.Create(top), Vector256.Create(top - span), Vector256.Create(top - span)).S[0];
        for (int sector = 0; sector < 3; sector++)
            for (int which = 0; which < 2; which++)
                for (int span = 1; span < 256; span++)
                    for (int distance = 0; distance <= span; distance++)
                    {
                        int first = 255 - (which == 0 ? span : distance), second = 255 - (which == 0 ? distance : span);
                        Vector256<int> a = Vector256.Create(255), b = Vector256.Create(first), c = Vector256.Create(second);
                        var (h, _, _) = sector switch { 0 => ToHsv(a, c, b), 1 => ToHsv(b, a, c), _ => ToHsv(c, b, a) };
                        hue[((2 * sector + which) * 256 + span) * 256 + distance] = (byte)h[0];
                    }
        return (saturation, hue);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> H, Vector256<int> S, Vector256<int> V) ToHsv(Vector256<int> r, Vector256<int> g, Vector256<int> b)
    {
        Vector256<int> top = Vector256.Max(r, Vector256.Max(g, b)), span = top - Vector256.Min(r, Vector256.Min(g, b));
        Vector256<int> grey = Vector256.Equals(span, Vector256<int>.Zero);
        Vector256<float> spanF = Vector256.ConvertToSingle(Vector256.Max(span, Vector256<int>.One));
        Vector256<float> rc = Vector256.ConvertToSingle(top - r) / spanF;
        Vector256<float> gc = Vector256.ConvertToSingle(top - g) / spanF;
        Vector256<float> bc = Vector256.ConvertToSingle(top - b) / spanF;

        // start + plus − minus, in double: R on top: bc − gc, G on top: 2 + rc − bc, B on top: 4 + gc − rc.
        Vector256<float> isR = Vector256.Equals(r, top).AsSingle(), isG = Vector256.Equals(g, top).AsSingle();
        var start = Vector256.ConditionalSelect(
            isR, Vector256<float>.Zero, Vector256.ConditionalSelect(isG, Vector256.Create(2f), Vector256.Create(4f)));
        var plus = Vector256.ConditionalSelect(isR, bc, Vector256.ConditionalSelect(isG, rc, gc));
        var minus = Vector256.ConditionalSelect(isR, gc, Vector256.ConditionalSelect(isG, bc, rc));
        (Vector256<double> start0, Vector256<double> start1) = Vector256.Widen(start);
        (Vector256<double> plus0, Vector256<double> plus1) = Vector256.Widen(plus);
        (Vector256<double> minus0, Vector256<double> minus1) = Vector256.Widen(minus);
        var angle = Vector256.Narrow(start0 + plus0 - minus0, start1 + plus1 - minus1);

        (Vector256<double> angle0, Vector256<double> angle1) = Vector256.Widen(angle);
        var turn = Vector256.Narrow(Fraction(angle0 / Vector256.Create(6.0) + Vector256<double>.One),
            Fraction(angle1 / Vector256.Create(6.0) + Vector256<double>.One));
        Vector256<int> h = Scale255(turn);
        Vector256<int> s = Scale255(Vector256.ConvertToSingle(span) / Vector256.ConvertToSingle(Vector256.Max(top, Vector256<int>.One)));
        return (Vector256.AndNot(h, grey), Vector256.AndNot(s, grey), top);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector256<int> R, Vector256<int> G, Vector256<int> B) ToRgb(Vector256<int> h, Vector256<int> s, Vector256<int> v)
    {
        // The quotient in float equals Pillow's double rounded to float for each of the 256 hues.
        Vector256<float> sector = Vector256.ConvertToSingle(h * Vector256.Create(6)) / Vector256.Create(255f);
        var whole = Vector256.Floor(sector);
        Vector256<float> fraction = sector - whole;
        Vector256<int> index = Vector256.ConvertToInt32(whole);
        Vector256<float> saturation = Vector256.ConvertToSingle(s) / Vector256.Create(255f);

        // q (odd sectors) = v (1 − s f); t (even sectors) = v (1 − s (1 − f)): one value w serves both, and p = v (1 − s).
        Vector256<double> odd0, odd1;
        Vector256<int> odd = -(index & Vector256<int>.One);
        (Vector256<long> oddLow, Vector256<long> oddHigh) = Vector256.Widen(odd);
        (odd0, odd1) = (oddLow.AsDouble(), oddHigh.AsDouble());
        (Vector256<double> f0, Vector256<double> f1) = Vector256.Widen(fraction);
        (Vector256<double> s0, Vector256<double> s1) = Vector256.Widen(saturation);
        (Vector256<double> v0, Vector256<double> v1) = Vector256.Widen(Vector256.ConvertToSingle(v));
        Vector256<double> one = Vector256<double>.One;
        f0 = Vector256.ConditionalSelect(odd0, f0, one - f0);
        f1 = Vector256.ConditionalSelect(odd1, f1, one - f1);
        Vector256<int> p = Level(v0 * (one - s0), v1 * (one - s1));
        Vector256<int> w = Level(v0 * (one - s0 * f0), v1 * (one - s1 * f1));

        // Sector:  0: v w p   1: w v p   2: p v w   3: p w v   4: w p v   5: v p w; 6 (h = 255) is 0 again.
        index = Vector256.ConditionalSelect(Vector256.Equals(index, Vector256.Create(6)), Vector256<int>.Zero, index);
        var red = Select(index, 0, 5, v, Select(index, 2, 3, p, w));
        var green = Select(index, 1, 2, v, Select(index, 4, 5, p, w));
        var blue = Select(index, 3, 4, v, Select(index, 0, 1, p, w));
        return (red, green, blue);
    }

    /// <summary>Where index is a or b, yes; elsewhere no.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Select(Vector256<int> index, int a, int b, Vector256<int> yes, Vector256<int> no) =>
        Vector256.ConditionalSelect(
            Vector256.Equals(index, Vector256.Create(a)) | Vector256.Equals(index, Vector256.Create(b)), yes, no);

    // The values are positive: x − floor(x) is exact and equals fmod(x, 1).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Fraction(Vector256<double> x) => x - Vector256.Floor(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Scale255(Vector256<float> x)
    {
        (Vector256<double> low, Vector256<double> high) = Vector256.Widen(x);
        return Truncate(low * Vector256.Create(255.0), high * Vector256.Create(255.0));
    }

    /// <summary>floor(x + 0.5).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Level(Vector256<double> low, Vector256<double> high) =>
        Truncate(low + Vector256.Create(0.5), high + Vector256.Create(0.5));

    // Integers below 2²³ survive the way through float, which has a conversion to int on every machine.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Truncate(Vector256<double> low, Vector256<double> high) =>
        Vector256.ConvertToInt32(Vector256.Narrow(Vector256.Floor(low), Vector256.Floor(high)));
}
