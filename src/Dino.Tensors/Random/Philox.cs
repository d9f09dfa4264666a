namespace Dino.Tensors.Random;

/// <summary>
/// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011, section 3.3).
/// </summary>
/// <remarks>
/// A pure function of counter and key: equal on every device and for every number of threads, and callable inside a kernel.
/// </remarks>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53u, Multiplier1 = 0xCD9E8D57u;
    private const uint Weyl0 = 0x9E3779B9u, Weyl1 = 0xBB67AE85u;

    /// <summary>Four independent uniform 32-bit words for the 128-bit counter (c0, c1, c2, c3) under the 64-bit key (k0, k1).</summary>
    public static (uint X0, uint X1, uint X2, uint X3) Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        // Straight line: kernel compilers leave the ten-trip loop rolled.
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        Round(ref c0, ref c1, ref c2, ref c3, ref k0, ref k1);
        return (c0, c1, c2, c3);
    }

    /// <summary>A random word as a float in [0, 1), a multiple of 2⁻²⁴: every value is exact, so no device can round one up to 1.</summary>
    public static float ToUnit(uint word) => (int)(word >> 8) * (1f / (1 << 24)); // C# turns a uint to float by way of double

    private static void Round(ref uint c0, ref uint c1, ref uint c2, ref uint c3, ref uint k0, ref uint k1)
    {
        ulong p0 = (ulong)Multiplier0 * c0, p1 = (ulong)Multiplier1 * c2;
        (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
        k0 += Weyl0;
        k1 += Weyl1;
    }
}
