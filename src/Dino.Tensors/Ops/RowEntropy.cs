using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>mean over rows of −Σₖ qₖ ln qₖ, in nats.</summary>
public static class RowEntropyOp
{
    /// <summary>
    /// The mean entropy of the rows of a matrix of probabilities (R, K), as a scalar tensor; q = 0 contributes 0. No gradient passes.
    /// </summary>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public static Tensor RowEntropy(this Tensor probabilities)
    {
        Operands.Check(probabilities);
        int rows = probabilities.Shape.Rows;
        if (rows == 0)
            throw new ArgumentException($"RowEntropy: there is no mean over no rows, {probabilities.Shape}.", nameof(probabilities));
        var entropies = probabilities.Device.Rent(new Shape(rows));
        probabilities.Device.Launch(new Launch(probabilities, entropies));
        return Total<PlainTerm>.Of(entropies, 1f / rows);
    }

    private readonly struct Launch(Tensor q, Tensor entropies) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = q.Shape.RowLength;
            run.Rows(q.Shape.Rows, n, new Body<T, TMemory>(n, TMemory.Of(q), TMemory.Of(entropies)));
        }
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
            float sum = RowSum.OfWork<T, TLanes, Terms<T, TMemory>>(lanes, new(q), row * n, row * n + n);
            TMemory result = entropies;
            if (lanes.Id == 0)
                result[row] = -sum;
        }
    }

    /// <summary>Σ q ln q</summary>
    private readonly struct Terms<T, TMemory>(TMemory q) : IRowTerm<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory q = q;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T AddTo(T sum, int i, int end)
        {
            // 0 times the logarithm of the smallest number is 0; times that of 0 it would be NaN.
            T p = q.Load(i, end);
            return T.Fma(p, Real.Log(T.Max(p, T.Of(float.Epsilon))), sum);
        }
    }
}
