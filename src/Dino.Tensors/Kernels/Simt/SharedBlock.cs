using ILGPU;

namespace Dino.Tensors.Kernels.Simt;

/// <summary>
/// Shared memory of a group as kernels read and write it. On simulated threads an index outside is reported, and so is a place that two
/// threads use without a barrier in between (<see cref="SharedCheck"/>). On GPUs both tests vanish.
/// </summary>
public readonly struct SharedBlock<T> where T : unmanaged
{
    private readonly ArrayView<T> view;
    private readonly int id;

    /// <param name="view">What <c>SharedMemory.Allocate</c> gave.</param>
    /// <param name="id">A number of its own among the blocks of its kernel, from 0 on.</param>
    internal SharedBlock(ArrayView<T> view, int id) => (this.view, this.id) = (view, id);

    /// <summary>An element. Between a write by one thread and a use by another stands a barrier.</summary>
    public T this[int i]
    {
        get => SharedCheck.MayRead(i, view.IntLength, id) ? view[i] : default;
        set
        {
            if (SharedCheck.MayWrite(i, view.IntLength, id))
                view[i] = value;
        }
    }
}
