using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>
/// The second pass of column sums that come in pairs (of a scale and a shift): Σₛ partials[s, j] in an order that the shape alone decides.
/// </summary>
internal static class PairSums
{
    private const int ColumnsPerRow = 256; // one a thread of the widest group, and a multiple of every vector width

    /// <summary>
    /// Sums partials (splits, 2·columns) over the splits: the left half into <paramref name="left"/>, the right half into
    /// <paramref name="right"/>, each of <paramref name="columns"/> elements, overwritten or added to; null where nobody wants it.
    /// </summary>
    public static void Run(Tensor partials, int splits, int columns, Tensor? left, int addLeft, Tensor? right, int addRight)
    {
        if (left is null && right is null)
            return;
        var device = partials.Device;
        // √splits sums of √splits each: neither pass is a long chain of waits for memory.
        int width = 2 * columns, perGroup = Math.Max(1, (int)Math.Ceiling(Math.Sqrt(splits))), groups = (splits + perGroup - 1) / perGroup;
        int chunks = (width + ColumnsPerRow - 1) / ColumnsPerRow, work = ColumnsPerRow * perGroup;
        var sums = device.Rent(new Shape(groups, width));
        if (device.IsHost)
        {
            RowLoop<Gather<Simd, HostMemory>>.OnHost(
                device, groups * chunks, work, new(splits, width, perGroup, chunks, HostMemory.Of(partials), HostMemory.Of(sums)));
            ElementLoop<Finish<Simd, HostMemory>>.OnHost(device, columns, new(
                groups, columns, HostMemory.Of(sums), HostMemory.Of(left), HostMemory.Of(right), Mode(left, addLeft), Mode(right, addRight)));
        }
        else
        {
            RowLoop<Gather<Lane, ViewMemory>>.OnAccelerator(
                device, groups * chunks, work, new(splits, width, perGroup, chunks, ViewMemory.Of(partials), ViewMemory.Of(sums)));
            ElementLoop<Finish<Lane, ViewMemory>>.OnAccelerator(device, columns, new(
                groups, columns, ViewMemory.Of(sums), ViewMemory.Of(left), ViewMemory.Of(right), Mode(left, addLeft), Mode(right, addRight)));
        }
    }

    /// <summary>−1: not wanted, 0: overwrite, 1: add.</summary>
    private static int Mode(Tensor? target, int accumulate) => target is null ? -1 : accumulate;

    internal readonly struct Gather<T, TMemory>(int splits, int width, int perGroup, int chunks, TMemory partials, TMemory sums) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int splits = splits, width = width, perGroup = perGroup, chunks = chunks;
        private readonly TMemory partials = partials, sums = sums;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int group = row / chunks, left = (row - group * chunks) * ColumnsPerRow, right = Math.Min(width, left + ColumnsPerRow);
            int begin = group * perGroup, end = Math.Min(splits, begin + perGroup);
            for (int j = left + lanes.Id * T.Width; j < right; j += lanes.Count * T.Width)
            {
                T sum = T.Of(0);
                for (int s = begin; s < end; s++)
                    sum += partials.Load(s * width + j, s * width + right);
                sums.Store(group * width + j, group * width + right, sum);
            }
        }
    }

    internal readonly struct Finish<T, TMemory>(int groups, int columns, TMemory sums, TMemory left, TMemory right, int leftMode, int rightMode)
        : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int groups = groups, columns = columns, leftMode = leftMode, rightMode = rightMode;
        private readonly TMemory sums = sums, left = left, right = right;

        public void At(int i, int end)
        {
            if (leftMode >= 0)
                left.Deliver(i, end, Sum(i, 0), leftMode);
            if (rightMode >= 0)
                right.Deliver(i, end, Sum(i, columns), rightMode);
        }

        private T Sum(int i, int half)
        {
            T sum = T.Of(0);
            for (int g = 0; g < groups; g++)
                sum += sums.Load(2 * g * columns + half + i, 2 * g * columns + half + columns);
            return sum;
        }
    }
}
