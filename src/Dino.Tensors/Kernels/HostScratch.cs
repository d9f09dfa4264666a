using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Working memory of a thread for packed panels and tiles: grown when a larger shape comes, then reused, freed with its
/// thread. A slot belongs to one purpose within a kernel; whoever rents it again gets the same memory.
/// </summary>
internal static unsafe class HostScratch
{
    private const int Slots = 11;

    // A cache line, and the alignment of the widest vector load.
    private const int Alignment = 64;

    [ThreadStatic] private static float[]?[]? slots;

    /// <summary>At least <paramref name="count"/> floats, aligned to 64 bytes, contents undefined.</summary>
    public static float* Rent(int slot, long count)
    {
        float[]?[] mine = slots ??= new float[Slots][];
        float[]? array = mine[slot];
        long needed = count + Alignment / sizeof(float);
        if (array is null || array.Length < needed)
        {
            // Pinned for life: pointers into it stay valid while other threads use them.
            long grown = Math.Max(needed, (array?.Length ?? 0) * 3L / 2);
            mine[slot] = array = GC.AllocateUninitializedArray<float>(checked((int)grown), pinned: true);
        }
        nuint address = (nuint)Unsafe.AsPointer(ref array[0]);
        return (float*)((address + (Alignment - 1)) & ~(nuint)(Alignment - 1));
    }
}
