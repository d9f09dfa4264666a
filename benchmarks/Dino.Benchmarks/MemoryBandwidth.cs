using System.Numerics;
using System.Runtime.InteropServices;

namespace Dino.Benchmarks;

/// <summary>
/// STREAM's triad, a = b + s · c, over three arrays of 64 MiB, which no cache holds. Counted as STREAM counts: 12 bytes an element,
/// though the hardware also reads the line that is about to be written.
/// </summary>
internal static unsafe class MemoryBandwidth
{
    private const int Floats = 1 << 24, Passes = 3, Alignment = 64;

    /// <summary>GB/s of so many threads together, measured so many times (some 20 ms each).</summary>
    public static Spread Measure(int threads, int repeats)
    {
        const nuint bytes = (nuint)Floats * sizeof(float);
        float* a = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        float* b = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        float* c = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        try
        {
            int slice = Floats / threads / Vector<float>.Count * Vector<float>.Count;
            double bytesMoved = 3.0 * sizeof(float) * slice * threads * Passes;
            // Memory belongs to the processor that touches it first.
            TimedThreads.Run(threads, thread =>
            {
                new Span<float>(a + (long)thread * slice, slice).Clear();
                new Span<float>(b + (long)thread * slice, slice).Clear();
                new Span<float>(c + (long)thread * slice, slice).Clear();
            });
            double[] rates = new double[repeats];
            for (int i = -1; i < repeats; i++)
            {
                double seconds = TimedThreads.Run(threads, thread =>
                {
                    long from = (long)thread * slice;
                    for (int pass = 0; pass < Passes; pass++)
                        Triad(a + from, b + from, c + from, slice);
                });
                if (i >= 0) // the first warms up
                    rates[i] = bytesMoved / seconds / 1e9;
            }
            return Spread.Of(rates);
        }
        finally
        {
            NativeMemory.AlignedFree(a);
            NativeMemory.AlignedFree(b);
            NativeMemory.AlignedFree(c);
        }
    }

    private static void Triad(float* a, float* b, float* c, int length)
    {
        var s = new Vector<float>(3);
        for (int i = 0; i < length; i += Vector<float>.Count)
            (Vector.Load(b + i) + s * Vector.Load(c + i)).Store(a + i);
    }
}
