using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>
/// Rotary position embedding of a grid of patches (Su et al. 2021; in the plane as DINOv3, Siméoni et al. 2025): queries and keys are
/// turned by angles
/// that grow with the place of their patch, so that their products depend on differences of places.
/// </summary>
/// <remarks>
/// A patch's centre lies at (y, x) in −1 … 1 along either side of the picture, whatever its size. Of a head's d numbers, number i and i +
/// d/2 are a
/// point in the plane, turned by y / periodᵢ of a full turn for i &lt; d/4, and by x / periodᵢ₋d/4 for the rest of the first half.
/// </remarks>
public static class RotaryOp
{
    /// <summary>
    /// Turns queries and keys of the patches; the tokens before the patches, and all values, pass through.
    /// </summary>
    /// <param name="qkv">(B, K + rows·columns, 3·D): queries, keys and values side by side, each H heads of D/H.</param>
    /// <param name="periods">(D/H/4), all above 0. No gradient reaches them.</param>
    /// <param name="heads">H; D/H must be a multiple of 4.</param>
    /// <param name="rows">Of the grid of patches.</param>
    /// <param name="columns">Of the grid of patches.</param>
    /// <returns>A tensor like <paramref name="qkv"/>.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor Rotary(this Tensor qkv, Tensor periods, int heads, int rows, int columns)
    {
        Operands.Check(qkv, periods);
        int width = qkv.Shape.Rank == 3 && heads > 0 && qkv.Shape[2] % (12L * heads) == 0 ? qkv.Shape[2] / 3 / heads : 0;
        if (width == 0 || periods.Count != width / 4 || rows < 1 || columns < 1 || (long)rows * columns > qkv.Shape[1])
            throw new ArgumentException(
                $"Rotary positions of {heads} heads and {rows} × {columns} patches need (B, K + {rows}·{columns}, 3·D) and periods "
                    + $"(D/{heads}/4), "
                + $"not {qkv.Shape} and {periods.Shape}.");
        var grid = new PatchGrid(qkv.Shape[1], rows, columns, heads, width);
        var y = qkv.Device.Rent(qkv.Shape);
        Run(qkv, periods, y, grid, direction: 1, accumulate: 0);
        Tape.For(qkv)?.Add<BackwardNode>(y).Of(qkv, periods, grid);
        return y;
    }

    /// <summary>The usual periods: baseⁱᐟⁿ for i of n, from 1 towards the base.</summary>
    public static float[] Periods(int count, double ofBase = 100)
    {
        float[] periods = new float[count];
        for (int i = 0; i < count; i++)
            periods[i] = (float)Math.Pow(ofBase, (double)i / count);
        return periods;
    }

    private static void Run(Tensor x, Tensor periods, Tensor y, PatchGrid grid, float direction, int accumulate) =>
        x.Device.Launch(new Launch(x, periods, y, grid, direction, accumulate));

    private sealed class BackwardNode : Node
    {
        private Tensor qkv = null!, periods = null!;
        private PatchGrid grid;

        public void Of(Tensor input, Tensor turns, PatchGrid patches) => (qkv, periods, grid) = (Track(input), Save(turns), patches);

        // A turn is orthogonal: its gradient is turned back.
        public override void Backward(Tensor dy) =>
            Run(dy, periods, Tape.GradientOf(qkv, out int accumulate)!, grid, direction: -1, accumulate);
    }

    /// <summary>Tokens of a picture, its patches, and the heads of a token.</summary>
    internal readonly struct PatchGrid(int tokens, int rows, int columns, int heads, int width)
    {
        public readonly int Tokens = tokens, Rows = rows, Columns = columns, Heads = heads, Width = width;
    }

    private readonly struct Launch(Tensor x, Tensor periods, Tensor y, PatchGrid grid, float direction, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(x.Shape.Rows, grid.Width, new Body<T, TMemory>(
                grid, direction, accumulate, TMemory.Of(x), TMemory.Of(periods), TMemory.Of(y)), work: x.Shape.RowLength);
    }

    /// <summary>One token of one picture a row.</summary>
    internal readonly struct Body<T, TMemory>(PatchGrid grid, float direction, int accumulate, TMemory x, TMemory periods, TMemory y)
        : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly PatchGrid grid = grid;
        private readonly float direction = direction;
        private readonly int accumulate = accumulate;
        private readonly TMemory x = x, periods = periods, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int dim = grid.Heads * grid.Width, begin = row * 3 * dim, end = begin + 3 * dim;
            int patch = row % grid.Tokens - (grid.Tokens - grid.Rows * grid.Columns);
            int first = patch < 0 ? begin : begin + 2 * dim; // of what passes through
            for (int i = first + lanes.Id * T.Width; i < end; i += lanes.Count * T.Width)
                y.Deliver(i, end, x.Load(i, end), accumulate);
            if (patch < 0)
                return;
            int line = patch / grid.Columns, quarter = grid.Width / 4;
            for (int axis = 0; axis < 2; axis++)
            {
                float place = axis == 0
                    ? (2 * line + 1) / (float)grid.Rows - 1
                    : (2 * (patch - line * grid.Columns) + 1) / (float)grid.Columns - 1;
                for (int i = lanes.Id * T.Width; i < quarter; i += lanes.Count * T.Width)
                {
                    T turns = T.Of(direction * place) / periods.Load(i, quarter, 1);
                    T sin = SinOfTurns(turns), cos = SinOfTurns(turns + T.Of(0.25f));
                    for (int head = 0; head < 2 * grid.Heads; head++) // of queries, then of keys
                    {
                        int low = begin + head * grid.Width + axis * quarter, high = low + 2 * quarter;
                        T a = x.Load(low + i, low + quarter), b = x.Load(high + i, high + quarter);
                        y.Deliver(low + i, low + quarter, T.Fma(a, cos, -(b * sin)), accumulate);
                        y.Deliver(high + i, high + quarter, T.Fma(a, sin, b * cos), accumulate);
                    }
                }
            }
        }

        /// <summary>sin 2πt for |t| below 2²², within 2e-7: folded to a quarter turn, then Taylor's series to t¹³.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T SinOfTurns(T t)
        {
            T whole = (t + T.Of(12582912f)) - T.Of(12582912f), rest = t - whole, size = T.Abs(rest);
            // sin 2π(½ − t) = sin 2πt
            T half = T.WhereLess(rest, T.Of(0), T.Of(-0.5f), T.Of(0.5f));
            T x = T.WhereLess(T.Of(0.25f), size, half - rest, rest), square = x * x;
            T p = T.Of(3.8199525848f);
            p = T.Fma(p, square, T.Of(-15.094642577f));
            p = T.Fma(p, square, T.Of(42.058693945f));
            p = T.Fma(p, square, T.Of(-76.705859753f));
            p = T.Fma(p, square, T.Of(81.605249277f));
            p = T.Fma(p, square, T.Of(-41.341702240f));
            p = T.Fma(p, square, T.Of(6.2831853072f));
            return T.KeepNaN(t, p * x);
        }
    }
}
