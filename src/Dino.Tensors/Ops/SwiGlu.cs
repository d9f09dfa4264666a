using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>y = SiLU(a) ∘ b with SiLU(a) = a / (1 + e^−a), the hidden layer of a gated feed-forward part (Shazeer, 2020).</summary>
public static class SwiGluOp
{
    /// <summary>x: (…, 2·h), the gate a and the value b side by side; the result (…, h).</summary>
    /// <exception cref="ArgumentException">Rows have no two halves.</exception>
    public static Tensor SwiGlu(this Tensor x)
    {
        Operands.Check(x);
        if (x.Shape.Rank == 0 || x.Shape.RowLength % 2 != 0)
            throw new ArgumentException($"SwiGLU needs rows of a gate and a value of equal length, not {x.Shape}.", nameof(x));
        var y = x.Device.Rent(x.Shape.WithRowLength(x.Shape.RowLength / 2));
        x.Device.Launch(new ForwardLaunch(x, y));
        Tape.For(x)?.Add<BackwardNode>(y).Of(x);
        return y;
    }

    private readonly struct ForwardLaunch(Tensor x, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int h = y.Shape.RowLength;
            run.Rows(y.Shape.Rows, h, new Forward<T, TMemory>(h, TMemory.Of(x), TMemory.Of(y)));
        }
    }

    internal readonly struct Forward<T, TMemory>(int h, TMemory x, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int h = h;
        private readonly TMemory x = x, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int gate = row * 2 * h, value = gate + h, result = row * h;
            for (int i = lanes.Id * T.Width; i < h; i += lanes.Count * T.Width)
            {
                T a = x.Load(gate + i, value);
                y.Store(result + i, result + h, a / (T.Of(1) + Real.Exp(-a)) * x.Load(value + i, value + h));
            }
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;

        public void Of(Tensor input) => x = Save(input);

        public override void Backward(Tensor dy) =>
            dy.Device.Launch(new BackwardLaunch(x, dy, Tape.GradientOf(x, out int accumulate)!, accumulate));
    }

    private readonly struct BackwardLaunch(Tensor x, Tensor dy, Tensor dx, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int h = dy.Shape.RowLength;
            run.Rows(dy.Shape.Rows, h, new Backward<T, TMemory>(h, TMemory.Of(x), TMemory.Of(dy), TMemory.Of(dx), accumulate));
        }
    }

    /// <summary>With σ = 1 / (1 + e^−a): da = dy · b · σ · (1 + a · (1 − σ)), db = dy · a · σ.</summary>
    internal readonly struct Backward<T, TMemory>(int h, TMemory x, TMemory dy, TMemory dx, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int h = h, accumulate = accumulate;
        private readonly TMemory x = x, dy = dy, dx = dx;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int gate = row * 2 * h, value = gate + h, result = row * h;
            for (int i = lanes.Id * T.Width; i < h; i += lanes.Count * T.Width)
            {
                T a = x.Load(gate + i, value), b = x.Load(value + i, value + h), d = dy.Load(result + i, result + h);
                T sigma = T.Of(1) / (T.Of(1) + Real.Exp(-a));
                dx.Deliver(gate + i, value, d * b * sigma * T.Fma(a, T.Of(1) - sigma, T.Of(1)), accumulate);
                dx.Deliver(value + i, value + h, d * a * sigma, accumulate);
            }
        }
    }
}
