using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>y = x / max(‖x‖₂, ε) along the last dimension.</summary>
public static class L2NormalizeOp
{
    /// <summary>Scales every row to length 1. x: (…, n); the result has the same shape. Keeps x for the backward pass.</summary>
    public static Tensor L2Normalize(this Tensor x, float eps = 1e-12f)
    {
        Operands.Check(x);
        var y = x.Device.Rent(x.Shape);
        x.Device.Launch(new ForwardLaunch(x, y, eps));
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, eps);
        return y;
    }

    private readonly struct ForwardLaunch(Tensor x, Tensor y, float eps) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, n, new Forward<T, TMemory>(n, eps, TMemory.Of(x), TMemory.Of(y)));
        }
    }

    internal readonly struct Forward<T, TMemory>(int n, float eps, TMemory x, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly float eps = eps;
        private readonly TMemory x = x, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            T scale = T.Of(1 / AtLeast(eps, RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(x), begin, end)));
            for (int i = first; i < end; i += step)
                y.Store(i, end, x.Load(i, end) * scale);
        }
    }

    // GPUs' own maximum drops NaN.
    private static float AtLeast(float eps, float norm) => float.IsNaN(norm) ? norm : MathF.Max(norm, eps);

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;
        private float eps;

        public void Of(Tensor input, float smallest) => (x, eps) = (Save(input), smallest);

        public override void Backward(Tensor dy) =>
            dy.Device.Launch(new BackwardLaunch(x, dy, Tape.GradientOf(x, out int accumulate)!, eps, accumulate));
    }

    private readonly struct BackwardLaunch(Tensor x, Tensor dy, Tensor dx, float eps, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, n, new Backward<T, TMemory>(n, eps, TMemory.Of(x), TMemory.Of(dy), TMemory.Of(dx), accumulate));
        }
    }

    /// <summary>dx = (dy − y · Σ y·dy) / ‖x‖; dy / ε where ‖x‖ is below ε and y therefore linear in x.</summary>
    internal readonly struct Backward<T, TMemory>(int n, float eps, TMemory x, TMemory dy, TMemory dx, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, accumulate = accumulate;
        private readonly float eps = eps;
        private readonly TMemory x = x, dy = dy, dx = dx;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            RowSum.OfTwo<T, TLanes, SquaresAndProducts<T, TMemory>>(lanes, new(x, dy), begin, end, out float squares, out float product);
            float norm = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(x), begin, end, squares),
                inverse = 1 / AtLeast(eps, norm);
            T scale = T.Of(inverse), along = T.Of(norm < eps ? 0 : product * inverse);
            for (int i = first; i < end; i += step)
                dx.Deliver(i, end, (dy.Load(i, end) - x.Load(i, end) * scale * along) * scale, accumulate);
        }
    }
}
