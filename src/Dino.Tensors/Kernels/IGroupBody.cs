using Dino.Tensors.Kernels.Simt;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Work of a group of threads with memory of their own, for accelerators alone: what neither <see cref="IElementBody"/> nor
/// <see cref="IRowBody"/> can say. Its fields are numbers and <see cref="ViewMemory"/>.
/// </summary>
/// <inheritdoc cref="IRowBody" path="/remarks"/>
public interface IGroupBody
{
    /// <summary>Does one group's work. Every thread of the group runs this.</summary>
    void Run(ThreadGroup group);
}

/// <summary>A group of threads, as one of them sees it.</summary>
public readonly struct ThreadGroup
{
    internal ThreadGroup(int id, int thread, int threads) => (Id, Thread, Threads) = (id, thread, threads);

    /// <summary>The group's number among those of the launch.</summary>
    public int Id { get; }

    /// <summary>This thread's number in the group.</summary>
    public int Thread { get; }

    /// <summary>Threads in the group: <see cref="Device.GroupSize"/>, a power of two.</summary>
    public int Threads { get; }

    /// <summary>A block of memory that the threads of the group share, contents undefined.</summary>
    /// <param name="length">Elements; a constant.</param>
    /// <param name="id">A number of its own among the blocks of its kernel, from 0 on.</param>
    public static SharedBlock<T> Share<T>(int length, int id) where T : unmanaged => new(SharedMemory.Allocate<T>(length), id);

    /// <summary>Waits for the threads of the group, all of which must come here: what they wrote before, all may read after.</summary>
    public static void Barrier() => SharedCheck.Barrier();
}

/// <summary>Runs a body of groups.</summary>
internal static class GroupLoop<TBody> where TBody : struct, IGroupBody
{
    private static readonly Kernel<Action<AcceleratorStream, KernelConfig, TBody>> kernel = new(Entry);

    public static void OnAccelerator(Device device, int groups, in TBody body)
    {
        if (groups == 0)
            return;
        device.Claim.Enter();
        try
        {
            kernel.On(device)(device.Stream, new KernelConfig(groups, device.GroupSize), body);
        }
        finally
        {
            device.Claim.Leave();
        }
    }

    private static void Entry(TBody body) => body.Run(new ThreadGroup(Grid.IdxX, Group.IdxX, Group.DimX));
}
