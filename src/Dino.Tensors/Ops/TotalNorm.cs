using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>‖x‖₂ over all elements, as a scalar on the device: of the norms of blocks, whose squares neither overflow nor vanish.</summary>
internal static class TotalNorm
{
    private const int BlockSize = 1 << 12;

    public static Tensor Of(Tensor x)
    {
        x.ThrowIfNot(DType.Float32);
        var device = x.Device;
        int n = x.Count, blocks = (n + BlockSize - 1) / BlockSize;
        var norms = device.Rent(new Shape(blocks));
        var y = device.Rent(new Shape());
        if (device.IsHost)
        {
            RowLoop<Block<Simd, HostMemory>>.OnHost(device, blocks, BlockSize, new(n, BlockSize, HostMemory.Of(x), HostMemory.Of(norms)));
            RowLoop<Block<Simd, HostMemory>>.OnHost(device, 1, blocks, new(blocks, blocks, HostMemory.Of(norms), HostMemory.Of(y)));
        }
        else
        {
            RowLoop<Block<Lane, ViewMemory>>.OnAccelerator(device, blocks, BlockSize, new(n, BlockSize, ViewMemory.Of(x), ViewMemory.Of(norms)));
            RowLoop<Block<Lane, ViewMemory>>.OnAccelerator(device, 1, blocks, new(blocks, blocks, ViewMemory.Of(norms), ViewMemory.Of(y)));
        }
        return y;
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
