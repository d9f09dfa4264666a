using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>mean over rows of −Σₖ qₖ ln qₖ, in nats: the collapse monitor h of Caron et al. (2021), section 5.3.</summary>
public static class RowEntropyOp
{
    private const float SmallestNormal = 1.17549435e-38f;

    /// <summary>
    /// The mean entropy of the rows of a matrix of probabilities (R, K), as a scalar tensor; q = 0 contributes 0. No gradient passes.
    /// </summary>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public static Tensor RowEntropy(this Tensor probabilities)
    {
        Operands.Check(probabilities);
        var device = probabilities.Device;
        int rows = probabilities.Shape.Rows, n = probabilities.Shape.RowLength;
        if (rows == 0)
            throw new ArgumentException($"RowEntropy: there is no mean over no rows, {probabilities.Shape}.", nameof(probabilities));
        var entropies = device.Rent(new Shape(rows));
        if (device.IsHost)
            RowLoop<Body<Simd, HostMemory>>.OnHost(device, rows, n, new(n, HostMemory.Of(probabilities), HostMemory.Of(entropies)));
        else
            RowLoop<Body<Lane, ViewMemory>>.OnAccelerator(device, rows, n, new(n, ViewMemory.Of(probabilities), ViewMemory.Of(entropies)));
        return Total<PlainTerm>.Of(entropies, 1f / rows);
    }

    internal readonly struct Body<T, TMemory>(int n, TMemory q, TMemory entropies) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory q = q;
        private readonly TMemory entropies = entropies;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, step = lanes.Count * T.Width;
            T total = T.Of(0);
            for (int i = begin + lanes.Id * T.Width; i < end; i += step)
            {
                T p = q.Load(i, end);
                total = T.Fma(p, Real.Log(T.Max(p, T.Of(SmallestNormal))), total);
            }
            float sum = lanes.Sum(T.Sum(total));
            TMemory result = entropies;
            if (lanes.Id == 0)
                result[row] = -sum;
        }
    }
}
