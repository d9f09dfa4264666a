using Dino.Pictures.Transforms;
using Dino.Tensors;

namespace Dino.Pictures.Loading;

/// <summary>The crops of one batch on a device: every view of every picture. A source overwrites them for each batch.</summary>
public sealed class ViewBatch : IDisposable
{
    private readonly ViewLayout layout;

    /// <summary>Takes the memory; the numbers are 0.</summary>
    /// <param name="device">Where it is.</param>
    /// <param name="views">The crops of a picture.</param>
    /// <param name="pictures">B, the pictures of a batch.</param>
    /// <param name="channels">C: 3, or 1 for grey.</param>
    /// <exception cref="ArgumentException">A view that cannot be, or none; no picture; or more numbers than one tensor holds.</exception>
    public ViewBatch(Device device, IReadOnlyList<View> views, int pictures, int channels = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pictures, 1);
        layout = new ViewLayout(views, pictures, channels);
        if (layout.Floats > Array.MaxLength)
            throw new ArgumentException(
                $"The crops of {pictures} pictures, {views.Count} of each, are {layout.Floats} numbers, more than a tensor holds: use a "
                    + $"smaller batch or smaller crops.");
        All = Tensor.Zeros(device, new Shape((int)layout.Floats));
    }

    /// <summary>B, the number of pictures.</summary>
    public int Pictures => layout.Pictures;

    /// <summary>The number of views of a picture.</summary>
    public int Count => layout.Count;

    /// <summary>The crops of all views, one behind the other, with what lies between views of two sizes.</summary>
    internal Tensor All { get; }

    internal ViewLayout Layout => layout;

    /// <summary>The crops of neighbouring views of one size: the first view of every picture, then the next, …</summary>
    /// <param name="first">Number of the first view.</param>
    /// <param name="count">How many views.</param>
    /// <returns>(count·B, C, S, S): shares the batch's memory and belongs to the arena that is open.</returns>
    /// <exception cref="ArgumentException">There are no such views, or they differ in size.</exception>
    public Tensor Views(int first, int count)
    {
        layout.CheckRun(first, count);
        int size = layout.SizeOf(first);
        return All.Alias(new Shape(count * Pictures, layout.Channels, size, size), layout.StartOf(first, 0));
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => All.Dispose();
}
