using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>Σ x, over all elements or along one dimension.</summary>
public static class SumOp
{
    /// <summary>The sum of all elements, a scalar. x: any shape.</summary>
    /// <remarks>Pieces first, then their sums: the order depends on the number of elements alone.</remarks>
    public static Tensor Sum(this Tensor x)
    {
        var y = Total<PlainTerm>.Of(x);
        Tape.For(x)?.Add<AllBackwardNode>(y).Of(x);
        return y;
    }

    /// <summary>
    /// The sums along a dimension (a negative one counts from the last), which the result lacks, or has with size 1 if
    /// <paramref name="keepDim"/>: (B, N, D) along 1 gives (B, D) or (B, 1, D).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public static Tensor Sum(this Tensor x, int dimension, bool keepDim = false)
    {
        Operands.Check(x);
        int size = x.Shape[dimension];
        dimension = dimension < 0 ? dimension + x.Shape.Rank : dimension;
        int outer = x.Shape.CountOf(0, dimension), inner = x.Shape.CountOf(dimension + 1, x.Shape.Rank);
        var device = x.Device;
        var y = device.Rent(x.Shape.Without(dimension));
        if (inner == 1)
            device.Launch(new RowLaunch(x, y, size));
        else if (outer == 1)
            ColumnSum.Run(x, y, accumulate: 0);
        else
            device.Launch(new ColumnsLaunch(x, y, size, inner));
        Tape.For(x)?.Add<AlongBackwardNode>(y).Of(x, size, inner);
        return keepDim ? y.Reshape(x.Shape.With(dimension, 1)) : y;
    }

    private readonly struct RowLaunch(Tensor x, Tensor y, int n) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Rows(y.Count, n, new Row<T, TMemory>(TMemory.Of(x), TMemory.Of(y), n));
    }

    /// <summary>The sum of one row.</summary>
    internal readonly struct Row<T, TMemory>(TMemory x, TMemory y, int n) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, y = y;
        private readonly int n = n;

        void IRowBody.Row<TLanes>(TLanes lanes, int row)
        {
            float total = RowSum.Of<T, TLanes, Elements<T, TMemory>>(lanes, new(x), row * n, row * n + n);
            if (lanes.Id == 0)
            {
                TMemory to = y;
                to[row] = total;
            }
        }
    }

    private readonly struct ColumnsLaunch(Tensor x, Tensor y, int size, int inner) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(y.Count / Math.Max(1, inner), inner, new Columns<T, TMemory>(
                TMemory.Of(x), TMemory.Of(y), size, inner), work: size * inner);
    }

    /// <summary>The sums of the columns of one matrix (size, inner) of many.</summary>
    internal readonly struct Columns<T, TMemory>(TMemory x, TMemory y, int size, int inner) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, y = y;
        private readonly int size = size, inner = inner;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int from = row * size * inner, to = row * inner;
            for (int i = lanes.Id * T.Width; i < inner; i += lanes.Count * T.Width)
                y.Store(to + i, to + inner, RowSum.OfColumn<T, ColumnElements<T, TMemory>>(new(x, from + i, inner, i), 0, size));
        }
    }

    private sealed class AllBackwardNode : Node
    {
        private Tensor x = null!;

        public void Of(Tensor input) => x = Track(input);

        public override void Backward(Tensor dy) =>
            dy.Device.Launch(new SpreadLaunch(dy, Tape.GradientOf(x, out int accumulate)!, accumulate));
    }

    private readonly struct SpreadLaunch(Tensor dy, Tensor dx, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(dx.Count, new Spread<T, TMemory>(TMemory.Of(dy), TMemory.Of(dx), accumulate));
    }

    /// <summary>dx = dy everywhere.</summary>
    internal readonly struct Spread<T, TMemory>(TMemory dy, TMemory dx, int accumulate) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory dy = dy, dx = dx;
        private readonly int accumulate = accumulate;

        public void At(int i, int end) => dx.Deliver(i, end, T.Of(dy[0]), accumulate);
    }

    private sealed class AlongBackwardNode : Node
    {
        private Tensor x = null!;
        private int size, inner;

        public void Of(Tensor input, int length, int below) => (x, size, inner) = (Track(input), length, below);

        public override void Backward(Tensor dy) =>
            dy.Device.Launch(new RepeatLaunch(dy, Tape.GradientOf(x, out int accumulate)!, size, inner, accumulate));
    }

    private readonly struct RepeatLaunch(Tensor dy, Tensor dx, int size, int inner, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            // Where the sum ran along the rows, a row of dx repeats one number; otherwise it repeats a row of dy.
            int n = inner == 1 ? size : inner;
            run.Rows(dx.Count / Math.Max(1, n), n, new Repeat<T, TMemory>(TMemory.Of(dy), TMemory.Of(dx), size, inner, accumulate));
        }
    }

    /// <summary>dx[o, k, i] = dy[o, i]</summary>
    internal readonly struct Repeat<T, TMemory>(TMemory dy, TMemory dx, int size, int inner, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory dy = dy, dx = dx;
        private readonly int size = size, inner = inner, accumulate = accumulate;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            if (inner == 1)
            {
                int begin = row * size, end = begin + size;
                T value = T.Of(dy[row]);
                for (int i = begin + lanes.Id * T.Width; i < end; i += lanes.Count * T.Width)
                    dx.Deliver(i, end, value, accumulate);
            }
            else
            {
                int from = row / size * inner, to = row * inner;
                for (int i = lanes.Id * T.Width; i < inner; i += lanes.Count * T.Width)
                    dx.Deliver(to + i, to + inner, dy.Load(from + i, from + inner), accumulate);
            }
        }
    }
}
