using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using static Dino.Tensors.Kernels.MemoryExtensions;

namespace Dino.Tensors.Ops;

/// <summary>yⱼ = e^xⱼ / Σₖ e^xₖ along the last dimension.</summary>
public static class SoftmaxOp
{
    /// <summary>Softmax of every row. x: (…, n) with n ≥ 1; the result has the same shape, each row summing to 1.</summary>
    public static Tensor Softmax(this Tensor x)
    {
        Operands.Check(x);
        var y = x.Device.Rent(x.Shape);
        x.Device.Launch(new ForwardLaunch(x, y));
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, y);
        return y;
    }

    private readonly struct ForwardLaunch(Tensor x, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(x.Shape.Rows, x.Shape.RowLength, new Forward<T, TMemory>(x.Shape.RowLength, TMemory.Of(x), TMemory.Of(y)));
    }

    internal readonly struct Forward<T, TMemory>(int n, TMemory x, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory x = x, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory x = this.x, y = this.y;
            int begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            float max = RowMax.Of<T, TLanes, TMemory>(lanes, x, begin, end);
            T scale = T.Of(1 / RowSum.OfWork<T, TLanes, Exponentials<T, TMemory>>(lanes, new(x, max, y), begin, end));
            int i = first;
            for (; i <= end - T.Width; i += step)
                y.Store(i, NoEnd, y.Load(i, NoEnd) * scale);
            if (i < end)
                y.Store(i, end, y.Load(i, end) * scale);
        }
    }

    /// <summary>Σ e^(x − max), each of which is written to y.</summary>
    private readonly struct Exponentials<T, TMemory>(TMemory x, float max, TMemory y) : IRowTerm<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, y = y;
        private readonly float max = max;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T AddTo(T sum, int i, int end)
        {
            T e = Real.ExpOfNegative(x.Load(i, end, float.NegativeInfinity) - T.Of(max));
            y.Store(i, end, e);
            return sum + e;
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, y = null!;

        public void Of(Tensor input, Tensor output) => (x, y) = (Track(input), Save(output));

        public override void Backward(Tensor dy) =>
            dy.Device.Launch(new BackwardLaunch(y, dy, Tape.GradientOf(x, out int accumulate)!, accumulate));
    }

    private readonly struct BackwardLaunch(Tensor y, Tensor dy, Tensor dx, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = dy.Shape.RowLength;
            run.Rows(dy.Shape.Rows, n, new Backward<T, TMemory>(n, TMemory.Of(y), TMemory.Of(dy), TMemory.Of(dx), accumulate));
        }
    }

    /// <summary>dx = y · (dy − Σ y·dy)</summary>
    internal readonly struct Backward<T, TMemory>(int n, TMemory y, TMemory dy, TMemory dx, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, accumulate = accumulate;
        private readonly TMemory y = y, dy = dy, dx = dx;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory y = this.y, dy = this.dy, dx = this.dx;
            int begin = row * n, end = begin + n, step = lanes.Count * T.Width, i = begin + lanes.Id * T.Width,
                accumulate = this.accumulate;
            T mean = T.Of(RowSum.Of<T, TLanes, Products<T, TMemory>>(lanes, new(y, dy), begin, end));
            for (; i <= end - T.Width; i += step)
                dx.Deliver(i, NoEnd, y.Load(i, NoEnd) * (dy.Load(i, NoEnd) - mean), accumulate);
            if (i < end)
                dx.Deliver(i, end, y.Load(i, end) * (dy.Load(i, end) - mean), accumulate);
        }
    }
}
