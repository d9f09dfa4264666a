using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>yⱼ = xⱼ − ln Σₖ e^xₖ along the last dimension.</summary>
public static class LogSoftmaxOp
{
    /// <summary>The logarithm of the softmax of every row. x: (…, n) with n ≥ 1; the result has the same shape.</summary>
    public static Tensor LogSoftmax(this Tensor x)
    {
        Operands.Check(x);
        var y = x.Device.Rent(x.Shape);
        x.Device.Launch(new ForwardLaunch(x, y));
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, y);
        return y;
    }

    private readonly struct ForwardLaunch(Tensor x, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, n, new Forward<T, TMemory>(n, TMemory.Of(x), TMemory.Of(y)));
        }
    }

    internal readonly struct Forward<T, TMemory>(int n, TMemory x, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory x = x, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, step = lanes.Count * T.Width;
            T logSum = T.Of(OnlineSoftmax.LogSum(lanes, x, begin, end, T.Of(1f), out float highest)), max = T.Of(highest);
            for (int i = begin + lanes.Id * T.Width; i < end; i += step)
                y.Store(i, end, x.Load(i, end) - max - logSum);
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

    /// <summary>dx = dy − e^y · Σ dy</summary>
    internal readonly struct Backward<T, TMemory>(int n, TMemory y, TMemory dy, TMemory dx, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, accumulate = accumulate;
        private readonly TMemory y = y, dy = dy, dx = dx;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            T total = T.Of(RowSum.Of<T, TLanes, Elements<T, TMemory>>(lanes, new(dy), begin, end));
            for (int i = first; i < end; i += step)
                dx.Deliver(i, end, dy.Load(i, end) - Real.ExpOfNegative(y.Load(i, end)) * total, accumulate);
        }
    }
}
