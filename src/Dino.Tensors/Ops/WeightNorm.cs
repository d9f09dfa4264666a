using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>
/// w = g · v / ‖v‖₂ for each row (Salimans and Kingma, 2016): length and direction of a weight as parameters of their own.
/// </summary>
public static class WeightNormOp
{
    /// <summary>
    /// The weight of directions v: (K, D) and lengths g: (K, 1); the result is (K, D). A row of zeros in v has no direction and gives NaN.
    /// </summary>
    /// <exception cref="ArgumentException">g has not one element for each row of v.</exception>
    public static Tensor WeightNorm(this Tensor v, Tensor g)
    {
        Operands.Check(v, g);
        int rows = v.Shape.Rows;
        if (g.Count != rows)
            throw new ArgumentException($"WeightNorm of directions {v.Shape} needs lengths of ({rows}, 1), not {g.Shape}.", nameof(g));
        var w = v.Device.Rent(v.Shape);
        v.Device.Launch(new ForwardLaunch(v, g, w));
        Tape.For(v, g)?.Add<BackwardNode>(w).Of(v, g);
        return w;
    }

    private readonly struct ForwardLaunch(Tensor v, Tensor g, Tensor w) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = v.Shape.RowLength;
            run.Rows(v.Shape.Rows, n, new Forward<T, TMemory>(n, TMemory.Of(v), TMemory.Of(g), TMemory.Of(w)));
        }
    }

    internal readonly struct Forward<T, TMemory>(int n, TMemory v, TMemory g, TMemory w) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory v = v, g = g, w = w;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            T scale = T.Of(g[row] / RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(v), begin, end));
            for (int i = first; i < end; i += step)
                w.Store(i, end, v.Load(i, end) * scale);
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor v = null!, g = null!;

        public void Of(Tensor directions, Tensor lengths) => (v, g) = (Save(directions), Save(lengths));

        public override void Backward(Tensor dy) =>
            WeightNormOp.Backward(v, g, dy, Tape.GradientOf(v, out int addV), addV, Tape.GradientOf(g, out int addG), addG);
    }

    /// <summary>The gradients of v and g, null where not wanted, given that of w; dv may take the place of dw.</summary>
    internal static void Backward(Tensor v, Tensor g, Tensor dw, Tensor? dv, int addV, Tensor? dg, int addG) =>
        dw.Device.Launch(new BackwardLaunch(v, g, dw, dv, dv is null ? -1 : addV, dg, dg is null ? -1 : addG));

    private readonly struct BackwardLaunch(Tensor v, Tensor g, Tensor dw, Tensor? dv, int modeV, Tensor? dg, int modeG) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = dw.Shape.RowLength;
            run.Rows(dw.Shape.Rows, n, new BackwardRow<T, TMemory>(
                n, TMemory.Of(v), TMemory.Of(g), TMemory.Of(dw), TMemory.Of(dv), TMemory.Of(dg), modeV, modeG));
        }
    }

    /// <summary>With u = v/‖v‖: dg = u·dw and dv = g/‖v‖ · (dw − u · (u·dw)). Modes: −1 not wanted, 0 overwrite, 1 add.</summary>
    internal readonly struct BackwardRow<T, TMemory>(int n, TMemory v, TMemory g, TMemory dw, TMemory dv, TMemory dg, int modeV, int modeG)
        : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, modeV = modeV, modeG = modeG;
        private readonly TMemory v = v, g = g, dw = dw, dv = dv, dg = dg;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            RowSum.OfTwo<T, TLanes, SquaresAndProducts<T, TMemory>>(lanes, new(v, dw), begin, end, out float squares, out float products);
            float inverse = 1 / RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(v), begin, end, squares),
                along = products * inverse;
            if (modeV >= 0)
            {
                T scale = T.Of(g[row] * inverse), back = T.Of(along * inverse);
                for (int i = first; i < end; i += step)
                    dv.Deliver(i, end, (dw.Load(i, end) - v.Load(i, end) * back) * scale, modeV);
            }
            if (modeG >= 0 && lanes.Id == 0)
            {
                TMemory result = dg;
                result[row] = modeG > 0 ? result[row] + along : along;
            }
        }
    }
}
