using ILGPU;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Shared memory of a group as kernels read and write it. On simulated threads an index outside is reported, and so is a place that two
/// threads use without a barrier in between (<see cref="SharedCheck"/>). On GPUs both tests vanish.
/// </summary>
/// <param name="view">What <c>SharedMemory.Allocate</c> gave.</param>
/// <param name="id">A number of its own among the blocks of its kernel, from 0 on.</param>
internal readonly struct SharedBlock<T>(ArrayView<T> view, int id) where T : unmanaged
{
    private readonly ArrayView<T> view = view;
    private readonly int id = id;

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
