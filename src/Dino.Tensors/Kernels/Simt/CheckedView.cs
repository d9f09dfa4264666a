using Dino.Tensors.Kernels.Gemm;
using ILGPU;
using ILGPU.IR.Intrinsics;

namespace Dino.Tensors.Kernels.Simt;

/// <summary>
/// Device memory as kernels read and write it. On simulated threads an index outside is reported (<see cref="KernelIndexException"/>),
/// reads
/// as 0 and writes nothing: ILGPU's own check there ends the process. On GPUs the test is true at compile time and vanishes.
/// </summary>
internal static class CheckedView
{
    private static Exception? first;
    private static Kernel? running;

    /// <summary>How many kernels were launched on simulated threads.</summary>
    public static long Launch { get; private set; }

    /// <summary>The kernel that runs on simulated threads: one at a time does.</summary>
    public static string RunningName => running?.Name ?? "?";

    public static float Read(this ArrayView<float> view, int i) => IsInside(i, view.IntLength) ? view[i] : 0;

    public static void Write(this ArrayView<float> view, int i, float value)
    {
        if (IsInside(i, view.IntLength))
            view[i] = value;
    }

    /// <summary>Four neighbours by one 16-byte access; the view starts on 16 bytes and i is a multiple of 4.</summary>
    public static Float4 ReadFour(this ArrayView<float> view, int i) =>
        IsInside(i + 3, view.IntLength) ? view.Cast<Float4>()[i / 4] : default;

    /// <summary>Two neighbours by one 8-byte access; the view starts on 8 bytes and i is even.</summary>
    public static Float2 ReadPair(this ArrayView<float> view, int i) =>
        IsInside(i + 1, view.IntLength) ? view.Cast<Float2>()[i / 2] : default;

    /// <inheritdoc cref="ReadPair"/>
    public static void WritePair(this ArrayView<float> view, int i, Float2 pair)
    {
        if (IsInside(i + 1, view.IntLength))
            view.Cast<Float2>()[i / 2] = pair;
    }

    [IntrinsicImplementation]
    public static bool IsInside(int i, int length)
    {
        if ((uint)i < (uint)length)
            return true;
        Report(KernelIndexException.OfTensor(RunningName, i, length, Grid.IdxX, Group.IdxX));
        return false;
    }

    /// <summary>What <see cref="IsInside"/> is on GPUs.</summary>
    public static bool IsAlwaysInside(int i, int length) => true;

    /// <summary>Notes what a kernel did wrong; the first counts.</summary>
    public static void Report(Exception error) => Interlocked.CompareExchange(ref first, error, null);

    /// <summary>Throws what was reported since the last time, if anything.</summary>
    public static void ThrowIfReported()
    {
        if (Interlocked.Exchange(ref first, null) is { } error)
            throw error;
    }

    /// <summary>A kernel is about to be launched on simulated threads.</summary>
    public static void Begin(Kernel kernel)
    {
        ThrowIfReported();
        running = kernel;
        Launch++;
    }
}
