using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using static Dino.Tensors.Kernels.MemoryExtensions;

namespace Dino.Tensors.Ops;

/// <summary>softmax((t − c) / τ): a distribution that is centred and sharpened, as a target.</summary>
public static class CentredSoftmaxOp
{
    /// <summary>
    /// The distribution of every row of logits. logits: (R, K), centre: K elements, temperature τ &gt; 0; the result is (R, K), each row
    /// summing to 1. No gradient passes: a target is not trained.
    /// </summary>
    /// <exception cref="ArgumentException">The centre has not K elements, or the temperature is not positive.</exception>
    public static Tensor CentredSoftmax(this Tensor logits, Tensor centre, float temperature)
    {
        Operands.Check(logits, centre);
        int n = logits.Shape.RowLength;
        if (centre.Count != n)
            throw new ArgumentException($"Logits {logits.Shape} need a centre of {n} elements, not {centre.Shape}.", nameof(centre));
        if (!(temperature > 0))
            throw new ArgumentException(FormattableString.Invariant($"A temperature is positive, not {temperature}."), nameof(temperature));
        var y = logits.Device.Rent(logits.Shape);
        logits.Device.Launch(new Launch(logits, centre, y, 1 / temperature));
        return y;
    }

    private readonly struct Launch(Tensor logits, Tensor centre, Tensor y, float scale) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = logits.Shape.RowLength;
            run.Rows(logits.Shape.Rows, n, new Body<T, TMemory>(n, scale, TMemory.Of(logits), TMemory.Of(centre), TMemory.Of(y)));
        }
    }

    internal readonly struct Body<T, TMemory>(int n, float scale, TMemory x, TMemory centre, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly float scale = scale;
        private readonly TMemory x = x, centre = centre, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            T highest = T.Of(float.NegativeInfinity);
            for (int i = first; i < end; i += step)
                highest = T.Max(highest, x.Load(i, end, float.NegativeInfinity) - centre.Load(i - begin, n));
            float max = lanes.Max(T.Highest(highest));
            T share = T.Of(1 / RowSum.OfWork<T, TLanes, Exponentials<T, TMemory>>(
                lanes, new(begin, n, max, scale, x, centre, y), begin, end));
            for (int i = first; i < end; i += step)
                y.Store(i, end, y.Load(i, end) * share);
        }
    }

    /// <summary>Σ e^((x − c − max) / τ), each of which is written to y.</summary>
    private readonly struct Exponentials<T, TMemory>(int begin, int n, float max, float scale, TMemory x, TMemory centre, TMemory y)
        : IRowTerm<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int begin = begin, n = n;
        private readonly float max = max, scale = scale;
        private readonly TMemory x = x, centre = centre, y = y;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T AddTo(T sum, int i, int end)
        {
            T logit = x.Load(i, end, float.NegativeInfinity) - centre.Load(i - begin, end == NoEnd ? NoEnd : n);
            T e = Real.ExpOfNegative((logit - T.Of(max)) * T.Of(scale));
            y.Store(i, end, e);
            return sum + e;
        }
    }
}
