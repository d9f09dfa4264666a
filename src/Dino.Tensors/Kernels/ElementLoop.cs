using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels.Host;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors.Kernels;

/// <summary>Work on each element of a tensor by itself.</summary>
/// <inheritdoc cref="IRowBody" path="/remarks"/>
public interface IElementBody
{
    /// <summary>
    /// Does the elements i … i + Width − 1, as far as they lie before <paramref name="end"/>: the number of all, or
    /// <see cref="MemoryExtensions.NoEnd"/>.
    /// </summary>
    void At(int i, int end);
}

/// <summary>Runs a body over 0 … n − 1: a vector at a time on the host's cores, a thread an element on an accelerator.</summary>
internal static class ElementLoop<TBody> where TBody : struct, IElementBody
{
    private static readonly Kernel<Action<AcceleratorStream, KernelConfig, TBody, int>> kernel = new(Entry);

    public static void OnHost(Device device, int n, in TBody body) =>
        device.Team.Run(n / Job.Chunk + (n % Job.Chunk > 0 ? 1 : 0), new Job(body, n));

    public static void OnAccelerator(Device device, int n, in TBody body)
    {
        if (n == 0)
            return;
        int group = device.GroupSize;
        device.Claim.Enter();
        try
        {
            kernel.On(device)(device.Stream, new KernelConfig((n + group - 1) / group, group), body, n);
        }
        finally
        {
            device.Claim.Leave();
        }
    }

    private static void Entry(TBody body, int n)
    {
        int i = Grid.GlobalIndex.X;
        if (i < n)
            body.At(i, n);
    }

    private readonly struct Job(in TBody body, int n) : IHostJob
    {
        public const int Chunk = 1 << 14; // a multiple of every vector width; three such operands fit a core's second-level cache

        private readonly TBody body = body;
        private readonly int n = n;

        public void Run(int item)
        {
            TBody local = body;
            int i = item * Chunk, end = i + Math.Min(n - i, Chunk);
            for (; i <= end - Simd.Width; i += Simd.Width)
                local.At(i, MemoryExtensions.NoEnd);
            if (i < end)
                Rest(local, i, n);
        }

        // Apart, since the JIT inlines only so much into one method.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Rest(TBody body, int i, int n) => body.At(i, n);
    }
}
