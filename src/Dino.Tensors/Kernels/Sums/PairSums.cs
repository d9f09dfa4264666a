namespace Dino.Tensors.Kernels.Sums;

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
        // √splits sums of √splits each: neither pass is a long chain of waits for memory.
        int perGroup = Math.Max(1, (int)Math.Ceiling(Math.Sqrt(splits)));
        var sums = partials.Device.Rent(new Shape((splits + perGroup - 1) / perGroup, 2 * columns));
        partials.Device.Launch(new Launch(partials, splits, perGroup, sums, left, Mode(left, addLeft), right, Mode(right, addRight)));
    }

    /// <summary>−1: not wanted, 0: overwrite, 1: add.</summary>
    private static int Mode(Tensor? target, int accumulate) => target is null ? -1 : accumulate;

    private readonly struct Launch(
        Tensor partials, int splits, int perGroup, Tensor sums, Tensor? left, int leftMode, Tensor? right, int rightMode) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int groups = sums.Shape[0], width = sums.Shape[1], columns = width / 2, chunks = (width + ColumnsPerRow - 1) / ColumnsPerRow;
            run.Rows(groups * chunks, ColumnsPerRow * perGroup, new Gather<T, TMemory>(
                splits, width, perGroup, chunks, TMemory.Of(partials), TMemory.Of(sums)));
            run.Elements(columns, new Finish<T, TMemory>(
                groups, columns, TMemory.Of(sums), TMemory.Of(left), TMemory.Of(right), leftMode, rightMode));
        }
    }

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

    internal readonly struct Finish<T, TMemory>(
        int groups, int columns, TMemory sums, TMemory left, TMemory right, int leftMode, int rightMode)
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
