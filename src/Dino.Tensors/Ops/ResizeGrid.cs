using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>Bicubic resampling of position embeddings to another grid, in either way of <see cref="GridResampling"/>.</summary>
public static class ResizeGridOp
{
    private const double Offset = 0.1;

    // An axis' table outlives every step, and ends with its device.
    private static readonly ConditionalWeakTable<Device, Dictionary<(int From, int To, GridResampling Way), Axis>> tables = [];

    /// <summary>
    /// Resamples the patch slots of position embeddings: (1, 1 + s², D) to (1, 1 + rows·columns, D), row-major. The class slot is passed
    /// through. Resamples even where rows = columns = s, which is not the identity.
    /// </summary>
    /// <exception cref="ArgumentException">The input is not a class slot and a square grid, or a size is not positive.</exception>
    public static Tensor ResizeGrid(this Tensor pos, int rows, int columns, GridResampling way = GridResampling.Shifted)
    {
        Operands.Check(pos);
        int side = pos.Shape.Rank == 3 && pos.Shape[0] == 1 && pos.Shape[1] > 1 ? (int)Math.Sqrt(pos.Shape[1] - 1) : 0;
        if (side == 0 || 1 + side * side != pos.Shape[1])
            throw new ArgumentException($"Position embeddings are (1, 1 + s², D), not {pos.Shape}.", nameof(pos));
        if (rows <= 0 || columns <= 0)
            throw new ArgumentException($"A grid of {rows} × {columns} has no cells.");
        if ((long)rows * columns >= int.MaxValue)
            throw new TensorSizeException($"A grid of {rows} × {columns} has more cells than a tensor can hold.");
        var device = pos.Device;
        int d = pos.Shape[2];
        Axis vertical = AxisOf(device, side, rows, way), horizontal = AxisOf(device, side, columns, way);
        var y = device.Rent(new Shape(1, 1 + rows * columns, d));
        device.Launch(new Launch(pos, y, vertical, horizontal, toInput: false, accumulate: 0));
        Tape.For(pos)?.Add<BackwardNode>(y).Of(pos, vertical, horizontal);
        return y;
    }

    /// <summary>The input coordinate of each of <paramref name="to"/> cells over <paramref name="from"/> cells.</summary>
    public static double[] Coordinates(int from, int to, GridResampling way = GridResampling.Shifted)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to);
        double step = way == GridResampling.Shifted ? from / (to + Offset) : (double)from / to;
        double[] coordinates = new double[to];
        for (int i = 0; i < to; i++)
            coordinates[i] = (i + 0.5) * step - 0.5;
        return coordinates;
    }

    /// <summary>The weight of each input cell in each output cell along one axis: (to, from), row-major, each row summing to 1.</summary>
    public static double[] Weights(int from, int to, GridResampling way = GridResampling.Shifted)
    {
        double[] coordinates = Coordinates(from, to, way), weights = new double[(long)to * from <= Array.MaxLength
            ? to * from
            : throw new TensorSizeException($"The weights of {from} cells in {to} are more than an array can hold.")];
        for (int i = 0; i < to; i++)
        {
            if (way == GridResampling.Shifted)
            {
                int cell = (int)Math.Floor(coordinates[i]);
                for (int tap = cell - 1; tap <= cell + 2; tap++)
                    weights[i * from + Math.Clamp(tap, 0, from - 1)] += Cubic(coordinates[i] - tap, -0.75);
                continue;
            }
            double width = Math.Max(1, (double)from / to), sum = 0;
            for (int tap = 0; tap < from; tap++)
                sum += weights[i * from + tap] = Cubic((coordinates[i] - tap) / width, -0.5);
            for (int tap = 0; tap < from; tap++)
                weights[i * from + tap] /= sum;
        }
        return weights;
    }

    /// <summary>
    /// The same on the host, from stored weights: position embeddings (1, fromTokens, D) to (1, toTokens, D), both a class slot and a
    /// square
    /// grid. In double precision.
    /// </summary>
    public static float[] Resized(ReadOnlySpan<float> pos, int fromTokens, int toTokens, int d, GridResampling way = GridResampling.Shifted)
    {
        int from = (int)Math.Sqrt(Math.Max(0, fromTokens - 1)), to = (int)Math.Sqrt(Math.Max(0, toTokens - 1));
        if (1 + from * from != fromTokens || 1 + to * to != toTokens || from == 0 || to == 0 || d < 0 || pos.Length != (long)fromTokens * d
            || (long)toTokens * d > Array.MaxLength)
            throw new ArgumentException($"Position embeddings of {fromTokens} and {toTokens} tokens are not a class slot and a square "
                + $"grid each.");
        double[] weights = Weights(from, to, way), lines = new double[to * from * d]; // (to rows, from columns, D)
        for (int row = 0; row < to; row++)
            for (int i = 0; i < from; i++)
                if (weights[row * from + i] is var weight and not 0)
                    for (int k = 0; k < from * d; k++)
                        lines[row * from * d + k] += weight * pos[(1 + i * from) * d + k];
        float[] resized = new float[toTokens * d];
        pos[..d].CopyTo(resized);
        double[] cell = new double[d];
        for (int row = 0; row < to; row++)
            for (int column = 0; column < to; column++)
            {
                Array.Clear(cell);
                for (int j = 0; j < from; j++)
                    if (weights[column * from + j] is var weight and not 0)
                        for (int k = 0; k < d; k++)
                            cell[k] += weight * lines[(row * from + j) * d + k];
                for (int k = 0; k < d; k++)
                    resized[(1 + row * to + column) * d + k] = (float)cell[k];
            }
        return resized;
    }

    private static double Cubic(double distance, double a)
    {
        double t = Math.Abs(distance);
        return t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1
            : t < 2 ? a * (((t - 5) * t + 8) * t - 4)
            : 0;
    }

    private static Axis AxisOf(Device device, int from, int to, GridResampling way)
    {
        var known = tables.GetOrCreateValue(device);
        if (!known.TryGetValue((from, to, way), out var axis))
            known.Add((from, to, way), axis = new Axis(device, from, to, way));
        return axis;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor pos = null!;
        private Axis vertical = null!, horizontal = null!;

        public void Of(Tensor input, Axis rows, Axis columns) => (pos, vertical, horizontal) = (Track(input), rows, columns);

        public override void Backward(Tensor dy)
        {
            var dPos = Tape.GradientOf(pos, out int accumulate)!;
            dy.Device.Launch(new Launch(dy, dPos, vertical, horizontal, toInput: true, accumulate));
        }
    }

    /// <summary>The weights of one axis on the device, and which cells have a weight in which.</summary>
    private sealed class Axis
    {
        private readonly Tensor inputsOfOutput, outputsOfInput; // (cells, 2): the first, and one past the last

        public Axis(Device device, int from, int to, GridResampling way)
        {
            (From, To) = (from, to);
            double[] weights = ResizeGridOp.Weights(from, to, way);
            Weights = Permanent(Tensor.From(device, Array.ConvertAll(weights, w => (float)w), new Shape(to, from)));
            inputsOfOutput = Permanent(Tensor.FromInts(device, RangesOf(weights, to, from, from, 1), new Shape(to, 2)));
            outputsOfInput = Permanent(Tensor.FromInts(device, RangesOf(weights, from, to, 1, from), new Shape(from, 2)));
        }

        public int From { get; }

        public int To { get; }

        public Tensor Weights { get; }

        public Tensor Ranges(bool toInput) => toInput ? outputsOfInput : inputsOfOutput;

        private static int[] RangesOf(double[] weights, int cells, int others, int cellStride, int otherStride)
        {
            int[] ranges = new int[2 * cells];
            for (int i = 0; i < cells; i++)
            {
                int first = 0, end = others;
                while (first < end && weights[i * cellStride + first * otherStride] == 0)
                    first++;
                while (first < end && weights[i * cellStride + (end - 1) * otherStride] == 0)
                    end--;
                (ranges[2 * i], ranges[2 * i + 1]) = (first, end);
            }
            return ranges;
        }

        private static Tensor Permanent(Tensor tensor) => tensor.Owner?.Disown(tensor) ?? tensor;
    }

    /// <summary>Columns of the target's and of the source's grid; steps in the weights from cell to cell of either.</summary>
    internal readonly struct Strides(int columns, int sourceColumns, int target, int source)
    {
        public readonly int Columns = columns, SourceColumns = sourceColumns, Target = target, Source = source;
    }

    private readonly struct Launch(Tensor source, Tensor target, Axis vertical, Axis horizontal, bool toInput, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int d = target.Shape[2], tokens = target.Shape[1];
            int columns = toInput ? horizontal.From : horizontal.To, sourceColumns = toInput ? horizontal.To : horizontal.From;
            // Both axes' weights are (to, from), from the same number of cells: the way back walks them along the other dimension.
            int side = vertical.From;
            var strides = toInput ? new Strides(columns, sourceColumns, 1, side) : new Strides(columns, sourceColumns, side, 1);
            run.Rows(tokens, d, new Body<T, TMemory>(
                d, strides, accumulate, TMemory.Of(source), TMemory.Of(target), TMemory.Of(vertical.Weights),
                TMemory.Of(horizontal.Weights), TMemory.Of(vertical.Ranges(toInput)),
                TMemory.Of(horizontal.Ranges(toInput))), work: 16 * d);
        }
    }

    /// <summary>
    /// target[r, c] = Σ w[r, i] · w[c, j] · source[i, j] over the cells that have a weight; either way of the resampling.
    /// </summary>
    internal readonly struct Body<T, TMemory>(
        int d, Strides strides, int accumulate, TMemory source, TMemory target, TMemory rowWeights, TMemory columnWeights,
        TMemory rowRanges, TMemory columnRanges) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int d = d, accumulate = accumulate;
        private readonly Strides strides = strides;
        private readonly TMemory source = source, target = target;
        private readonly TMemory rowWeights = rowWeights, columnWeights = columnWeights, rowRanges = rowRanges, columnRanges = columnRanges;

        public void Row<TLanes>(TLanes lanes, int token) where TLanes : struct, ILanes
        {
            int cell = Math.Max(token - 1, 0), row = cell / strides.Columns, column = cell - row * strides.Columns;
            int firstRow = rowRanges.Int(2 * row), endRow = rowRanges.Int(2 * row + 1);
            int firstColumn = columnRanges.Int(2 * column), endColumn = columnRanges.Int(2 * column + 1);
            for (int k = lanes.Id * T.Width; k < d; k += lanes.Count * T.Width)
            {
                T sum = T.Of(0);
                if (token == 0)
                    sum = source.Load(k, d);
                else
                {
                    for (int i = firstRow; i < endRow; i++)
                    {
                        T line = T.Of(0);
                        for (int j = firstColumn; j < endColumn; j++)
                        {
                            int place = (1 + i * strides.SourceColumns + j) * d;
                            line = T.Fma(T.Of(columnWeights[column * strides.Target + j * strides.Source]),
                                source.Load(place + k, place + d), line);
                        }
                        sum = T.Fma(T.Of(rowWeights[row * strides.Target + i * strides.Source]), line, sum);
                    }
                }
                target.Deliver(token * d + k, token * d + d, sum, accumulate);
            }
        }
    }
}
