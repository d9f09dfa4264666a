using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dino.Pictures.Transforms;

/// <summary>Eight interleaved pixels (24 bytes) as three vectors of eight integers, and back.</summary>
internal static class PixelLanes
{
    /// <summary>Pixels in one step.</summary>
    public const int Count = 8;

    /// <summary>Bytes in one step.</summary>
    public const int Bytes = 24;

    private const byte No = 0x80; // an index out of range gives 0

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<int> R, Vector256<int> G, Vector256<int> B) Load(ref byte source)
    {
        Vector128<byte> low = Vector128.LoadUnsafe(ref source), high = Vector128.LoadUnsafe(ref source, 8);
        Vector128<byte> r = Vector128.Shuffle(low, Vector128.Create(0, 3, 6, 9, 12, 15, No, No, No, No, No, No, No, No, No, No))
            | Vector128.Shuffle(high, Vector128.Create(No, No, No, No, No, No, 10, 13, No, No, No, No, No, No, No, No));
        Vector128<byte> g = Vector128.Shuffle(low, Vector128.Create(1, 4, 7, 10, 13, No, No, No, No, No, No, No, No, No, No, No))
            | Vector128.Shuffle(high, Vector128.Create(No, No, No, No, No, 8, 11, 14, No, No, No, No, No, No, No, No));
        Vector128<byte> b = Vector128.Shuffle(low, Vector128.Create(2, 5, 8, 11, 14, No, No, No, No, No, No, No, No, No, No, No))
            | Vector128.Shuffle(high, Vector128.Create(No, No, No, No, No, 9, 12, 15, No, No, No, No, No, No, No, No));
        return (Widen(r), Widen(g), Widen(b));
    }

    /// <summary>Stores eight pixels; every value must lie in 0 … 255.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ref byte destination, Vector256<int> r, Vector256<int> g, Vector256<int> b)
    {
        Vector128<ushort> blue = Vector128.Narrow(b.GetLower().AsUInt32(), b.GetUpper().AsUInt32());
        var rg = Vector128.Narrow(
            Vector128.Narrow(r.GetLower().AsUInt32(), r.GetUpper().AsUInt32()),
            Vector128.Narrow(g.GetLower().AsUInt32(), g.GetUpper().AsUInt32()));
        var bb = Vector128.Narrow(blue, blue);
        Vector128<byte> low = Vector128.Shuffle(rg, Vector128.Create(0, 8, No, 1, 9, No, 2, 10, No, 3, 11, No, 4, 12, No, 5))
            | Vector128.Shuffle(bb, Vector128.Create(No, No, 0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No));
        Vector128<byte> high = Vector128.Shuffle(rg, Vector128.Create(13, No, 6, 14, No, 7, 15, No, No, No, No, No, No, No, No, No))
            | Vector128.Shuffle(bb, Vector128.Create(No, 5, No, No, 6, No, No, 7, No, No, No, No, No, No, No, No));
        low.StoreUnsafe(ref destination);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref destination, 16), high.AsUInt64().ToScalar());
    }

    /// <summary>Pillow's grey value of ITU-R 601: (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Luma(Vector256<int> r, Vector256<int> g, Vector256<int> b) =>
        (r * Vector256.Create(19595) + g * Vector256.Create(38470) + b * Vector256.Create(7471) + Vector256.Create(0x8000)) >> 16;

    /// <summary>The same for one pixel.</summary>
    public static int Luma(int r, int g, int b) => (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Widen(Vector128<byte> bytes)
    {
        Vector128<ushort> words = Vector128.WidenLower(bytes);
        return Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
    }
}
