using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>yᵢ = x[indicesᵢ], rows by number.</summary>
public static class GatherRowsOp
{
    private const int MostOwners = 64;

    /// <summary>
    /// The rows of x along its first dimension that the indices name, in their order and as often as they occur.
    /// x: (R, …); indices: I whole numbers of any shape; the result: (I, …). A row that x does not have is NaN.
    /// </summary>
    /// <exception cref="ArgumentException">x is a scalar, the indices are not <see cref="DType.Int32"/>, or the devices differ.</exception>
    public static Tensor GatherRows(this Tensor x, Tensor indices)
    {
        Operands.Check(x);
        ArgumentNullException.ThrowIfNull(indices);
        Operands.With(x, indices, nameof(GatherRows), DType.Int32);
        if (x.Shape.Rank == 0)
            throw new ArgumentException("GatherRows: a scalar has no rows.", nameof(x));
        var y = x.Device.Rent(x.Shape.With(0, indices.Count));
        x.Device.Launch(new ForwardLaunch(x, indices, y));
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, indices);
        return y;
    }

    private readonly struct ForwardLaunch(Tensor x, Tensor indices, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.CountOf(1, x.Shape.Rank);
            run.Rows(indices.Count, n, new Forward<T, TMemory>(TMemory.Of(x), TMemory.Of(indices), TMemory.Of(y), x.Shape[0], n));
        }
    }

    internal readonly struct Forward<T, TMemory>(TMemory x, TMemory indices, TMemory y, int rows, int n) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, indices = indices, y = y;
        private readonly int rows = rows, n = n;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int source = indices.Int(row), to = row * n;
            if (source >= 0 && source < rows)
            {
                int from = source * n;
                for (int i = lanes.Id * T.Width; i < n; i += lanes.Count * T.Width)
                    y.Store(to + i, to + n, x.Load(from + i, from + n));
            }
            else
            {
                for (int i = lanes.Id * T.Width; i < n; i += lanes.Count * T.Width)
                    y.Store(to + i, to + n, T.Of(float.NaN));
            }
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, indices = null!;

        public void Of(Tensor input, Tensor which) => (x, indices) = (Track(input), Save(which));

        public override void Backward(Tensor dy)
        {
            var dx = Tape.GradientOf(x, out int accumulate)!;
            if (accumulate == 0)
                dx.Fill(0);
            dy.Device.Launch(new ScatterLaunch(dy, indices, dx));
        }
    }

    private readonly struct ScatterLaunch(Tensor dy, Tensor indices, Tensor dx) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int rows = dx.Shape[0], n = dx.Shape.CountOf(1, dx.Shape.Rank), count = indices.Count;
            int each = Math.Max(1, (rows + MostOwners - 1) / MostOwners), owners = (rows + each - 1) / each;
            int work = count / Math.Max(1, owners) * n; // elements that an owner adds on average
            run.Rows(owners, n, new Scatter<T, TMemory>(TMemory.Of(dy), TMemory.Of(indices), TMemory.Of(dx), count, each, n), work: work);
        }
    }

    /// <summary>
    /// dx[indicesᵢ] += dyᵢ. Each owner has a range of rows of dx, goes through all indices and adds those that fall into its range: nobody
    /// else writes there, and the order of addition is that of the indices.
    /// </summary>
    internal readonly struct Scatter<T, TMemory>(TMemory dy, TMemory indices, TMemory dx, int count, int each, int n) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory dy = dy, indices = indices, dx = dx;
        private readonly int count = count, each = each, n = n;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int first = row * each, last = first + each;
            for (int k = 0; k < count; k++)
            {
                int target = indices.Int(k);
                if (target < first || target >= last)
                    continue;
                int from = k * n, to = target * n;
                for (int i = lanes.Id * T.Width; i < n; i += lanes.Count * T.Width)
                    dx.Deliver(to + i, to + n, dy.Load(from + i, from + n), 1);
            }
        }
    }
}
