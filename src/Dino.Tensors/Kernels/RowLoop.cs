using System.Numerics;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.Simt;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors.Kernels;

/// <summary>Work on one row, shared by its lanes: softmax, norms, sums.</summary>
/// <remarks>
/// A body is a struct of numbers and memories that the device copies: no bool and no reference among its fields. Its type and those around
/// it
/// are public, or internal in an assembly with <c>InternalsVisibleTo("ILGPURuntime")</c>: simulated threads (<c>cpu:debug</c>) cannot see
/// it otherwise.
/// <para>
/// Bodies with long loops copy their fields first (<c>TMemory x = this.x</c>). The body lies in memory, and a store to a tensor might
/// overwrite it
/// as far as the compiler knows: it would load each field again after every store. Locals stay in registers. A memory is also copied in
/// order
/// to be written by its indexer, which the compiler does not allow on a readonly field.
/// </para>
/// </remarks>
public interface IRowBody
{
    /// <summary>
    /// Does one row. On an accelerator every lane runs this: reductions of <paramref name="lanes"/> must be reached by all.
    /// </summary>
    void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes;
}

/// <summary>Runs a body over rows: a core a row on the host, a power of two of threads a row on an accelerator.</summary>
internal static class RowLoop<TBody> where TBody : struct, IRowBody
{
    private static readonly Kernel<Action<AcceleratorStream, KernelConfig, TBody, int>> kernel = new(Entry);

    /// <param name="device">The host device.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="length">Elements a row, to decide how many rows make a piece of work.</param>
    /// <param name="body">The work.</param>
    public static void OnHost(Device device, int rows, int length, in TBody body)
    {
        int perItem = Math.Max(1, 8192 / Math.Max(1, length));
        device.Team.Run(rows / perItem + (rows % perItem > 0 ? 1 : 0), new Job(body, rows, perItem));
    }

    /// <inheritdoc cref="OnHost"/>
    public static void OnAccelerator(Device device, int rows, int length, in TBody body)
    {
        if (rows == 0)
            return;
        int group = device.GroupSize;
        int lanes = (int)Math.Min((uint)group, BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, (length + 3) / 4)));
        // As many rows a group as fit and divide the rows: then every thread has a row, and reaches every barrier.
        int perGroup = Math.Min(group / lanes, 1 << BitOperations.TrailingZeroCount(rows));
        device.Claim.Enter();
        try
        {
            kernel.On(device)(device.Stream, new KernelConfig(rows / perGroup, perGroup * lanes), body, lanes);
        }
        finally
        {
            device.Claim.Leave();
        }
    }

    private static void Entry(TBody body, int lanes)
    {
        int thread = Group.IdxX;
        var shared = new SharedBlock<float>(SharedMemory.Allocate<float>(Device.MaxGroupSize), id: 0);
        int row = Grid.IdxX * (Group.DimX / lanes) + thread / lanes;
        body.Row(new GroupLanes(shared, thread, lanes), row);
    }

    private readonly struct Job(in TBody body, int rows, int perItem) : IHostJob
    {
        private readonly TBody body = body;
        private readonly int rows = rows, perItem = perItem;

        public void Run(int item)
        {
            TBody local = body;
            int row = item * perItem, end = row + Math.Min(rows - row, perItem);
            for (; row < end; row++)
                local.Row(default(OneLane), row);
        }
    }
}
