namespace Dino.Tensors.Kernels.Sums;

/// <summary>‖x‖₂ over all elements, as a scalar on the device: of the norms of blocks, whose squares neither overflow nor vanish.</summary>
internal static class TotalNorm
{
    private const int BlockSize = 1 << 12;

    public static Tensor Of(Tensor x)
    {
        x.ThrowIfNot(DType.Float32);
        var device = x.Device;
        var norms = device.Rent(new Shape((x.Count + BlockSize - 1) / BlockSize));
        var y = device.Rent(new Shape());
        device.Launch(new Launch(x, norms, y));
        return y;
    }

    private readonly struct Launch(Tensor x, Tensor norms, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int blocks = norms.Count;
            run.Rows(blocks, BlockSize, new Block<T, TMemory>(x.Count, BlockSize, TMemory.Of(x), TMemory.Of(norms)));
            run.Rows(1, blocks, new Block<T, TMemory>(blocks, blocks, TMemory.Of(norms), TMemory.Of(y)));
        }
    }

    /// <summary>The norm of each block of n numbers.</summary>
    internal readonly struct Block<T, TMemory>(int n, int size, TMemory x, TMemory norms) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, size = size;
        private readonly TMemory x = x, norms = norms;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * size;
            float norm = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(x), begin, Math.Min(n - begin, size) + begin);
            TMemory result = norms;
            if (lanes.Id == 0)
                result[row] = norm;
        }
    }
}
