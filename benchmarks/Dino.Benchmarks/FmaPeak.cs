using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dino.Benchmarks;

/// <summary>
/// The most fp32 operations that this machine's cores do in a second: multiply-adds in registers alone, in more independent chains than
/// two units with a latency of four cycles need.
/// </summary>
internal static class FmaPeak
{
    private const int Chains = 12; // with the two factors they fit the 16 registers of AVX2
    private const long Rounds = 1 << 24;

    /// <summary>Floats in the widest vector that the processor computes with.</summary>
    public static int Width => Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;

    /// <summary>GFLOP/s of so many threads together, measured so many times (about 30 ms each).</summary>
    public static Spread Measure(int threads, int repeats) => Width switch
    {
        16 => Measure<Vector512<float>, MultiplyAdd512>(threads, repeats),
        8 => Measure<Vector256<float>, MultiplyAdd256>(threads, repeats),
        _ => Measure<Vector128<float>, MultiplyAdd128>(threads, repeats),
    };

    private static Spread Measure<TVector, TMath>(int threads, int repeats) where TMath : IMultiplyAdd<TVector>
    {
        double operations = 2.0 * threads * Rounds * Chains * TMath.Width;
        float[] results = new float[threads]; // kept, or the compiler could leave the work out
        double[] rates = new double[repeats];
        for (int i = -1; i < repeats; i++)
        {
            double seconds = TimedThreads.Run(threads, thread => results[thread] = Chain<TVector, TMath>());
            if (i >= 0) // the first warms up
                rates[i] = operations / seconds / 1e9;
        }
        return Spread.Of(rates);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Chain<TVector, TMath>() where TMath : IMultiplyAdd<TVector>
    {
        TVector m = TMath.Of(0.999f), k = TMath.Of(0.001f); // the chains tend to 1: no denormal slows them
        TVector r0 = TMath.Of(0.1f), r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0, r6 = r0, r7 = r0, r8 = r0, r9 = r0, r10 = r0, r11 = r0;
        for (long i = 0; i < Rounds; i++)
        {
            r0 = TMath.Compute(r0, m, k);
            r1 = TMath.Compute(r1, m, k);
            r2 = TMath.Compute(r2, m, k);
            r3 = TMath.Compute(r3, m, k);
            r4 = TMath.Compute(r4, m, k);
            r5 = TMath.Compute(r5, m, k);
            r6 = TMath.Compute(r6, m, k);
            r7 = TMath.Compute(r7, m, k);
            r8 = TMath.Compute(r8, m, k);
            r9 = TMath.Compute(r9, m, k);
            r10 = TMath.Compute(r10, m, k);
            r11 = TMath.Compute(r11, m, k);
        }
        return TMath.First(r0) + TMath.First(r1) + TMath.First(r2) + TMath.First(r3) + TMath.First(r4) + TMath.First(r5)
            + TMath.First(r6) + TMath.First(r7) + TMath.First(r8) + TMath.First(r9) + TMath.First(r10) + TMath.First(r11);
    }
}
