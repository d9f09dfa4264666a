using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;
using static Dino.Tensors.Kernels.MemoryExtensions;

namespace Dino.Tensors.Ops;

/// <summary>y = (x − μ) / √(σ² + ε) · w + b with mean μ and (biased) variance σ² of each row (Ba, Kiros and Hinton, 2016).</summary>
public static class LayerNormOp
{
    /// <summary>
    /// Normalises every row. x: (…, D), weight and bias: (D); the result has the shape of x.
    /// Keeps x and two numbers a row for the backward pass.
    /// </summary>
    /// <exception cref="ArgumentException">The weight or the bias has not as many elements as a row of x.</exception>
    public static Tensor LayerNorm(this Tensor x, Tensor weight, Tensor bias, float eps = 1e-6f)
    {
        Operands.Check(x, weight, bias);
        int rows = x.Shape.Rows, n = x.Shape.RowLength;
        if (weight.Count != n || bias.Count != n)
            throw new ArgumentException($"LayerNorm of {x.Shape} needs a weight and a bias of ({n}), not {weight.Shape} and {bias.Shape}.");
        var device = x.Device;
        var y = device.Rent(x.Shape);
        var stats = device.Rent(new Shape(rows, 2)); // mean and 1/σ
        Normalize(x, weight, bias, eps, y, stats);
        Tape.For(x, weight, bias)?.Add<BackwardNode>(y).Of(x, weight, bias, stats, eps);
        return y;
    }

    private static void Normalize(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y, Tensor stats) =>
        x.Device.Launch(new ForwardLaunch(x, weight, bias, eps, y, stats));

    private readonly struct ForwardLaunch(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y, Tensor stats) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, n, new Forward<T, TMemory>(
                n, eps, TMemory.Of(x), TMemory.Of(weight), TMemory.Of(bias), TMemory.Of(y), TMemory.Of(stats)));
        }
    }

    internal readonly struct Forward<T, TMemory>(int n, float eps, TMemory x, TMemory weight, TMemory bias, TMemory y, TMemory stats)
        : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly float eps = eps;
        private readonly TMemory x = x, weight = weight, bias = bias, y = y;
        private readonly TMemory stats = stats;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory x = this.x, y = this.y, weight = this.weight, bias = this.bias;
            int n = this.n, begin = row * n, end = begin + n, step = lanes.Count * T.Width, i = begin + lanes.Id * T.Width;
            float mean = RowSum.Of<T, TLanes, Elements<T, TMemory>>(lanes, new(x), begin, end) / n;
            float squares = RowSum.Of<T, TLanes, SquaredDistances<T, TMemory>>(lanes, new(x, mean), begin, end);
            const float scaled = SquaredDistances<T, TMemory>.Scale;
            float inverse = scaled / MathF.Sqrt(squares / n + eps * scaled * scaled);
            T mu = T.Of(mean), scale = T.Of(inverse);
            for (; i <= end - T.Width; i += step)
                y.Store(i, NoEnd, T.Fma((x.Load(i, NoEnd) - mu) * scale, weight.Load(i - begin, NoEnd), bias.Load(i - begin, NoEnd)));
            if (i < end)
                y.Store(i, end, T.Fma((x.Load(i, end) - mu) * scale, weight.Load(i - begin, n), bias.Load(i - begin, n)));
            if (lanes.Id == 0)
            {
                TMemory s = stats;
                s[2 * row] = mean;
                s[2 * row + 1] = inverse;
            }
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, weight = null!, bias = null!, stats = null!;
        private float eps;

        public override bool IsCheap => true;

        public void Of(Tensor input, Tensor scale, Tensor shift, Tensor rowStats, float epsilon) =>
            (x, weight, bias, stats, eps) = (Save(input), Save(scale), Save(shift), Save(rowStats), epsilon);

        public override void Remake(Tensor target) => Normalize(x, weight, bias, eps, target, stats);

        public override void Backward(Tensor dy)
        {
            var device = dy.Device;
            int rows = dy.Shape.Rows, n = dy.Shape.RowLength;
            // Fewer sums to add up where a core takes a split than where the threads of a group share it.
            int most = device.IsHost ? 128 : 512, perSplit = Math.Clamp((rows + most - 1) / most, 8, 128),
                splits = (rows + perSplit - 1) / perSplit;
            var partials = device.Rent(new Shape(splits, 2 * n));
            var dx = Tape.GradientOf(x, out int accumulate);
            device.Launch(new BackwardLaunch(x, weight, stats, dy, dx, partials, perSplit, dx is null ? -1 : accumulate));
            var dWeight = Tape.GradientOf(weight, out int addWeight);
            var dBias = Tape.GradientOf(bias, out int addBias);
            PairSums.Run(partials, splits, n, dWeight, addWeight, dBias, addBias);
        }
    }

    private readonly struct BackwardLaunch(
        Tensor x, Tensor weight, Tensor stats, Tensor dy, Tensor? dx, Tensor partials, int perSplit, int mode) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = x.Shape.RowLength, splits = partials.Shape[0];
            run.Rows(splits, n, new Backward<T, TMemory>(
                n, x.Shape.Rows, perSplit, mode, TMemory.Of(x), TMemory.Of(weight), TMemory.Of(stats), TMemory.Of(dy), TMemory.Of(dx),
                TMemory.Of(partials)), work: n * perSplit);
        }
    }

    /// <summary>
    /// With x̂ = (x − μ)/σ and g = w·dy: dx = (g − mean g − x̂ · mean(g·x̂)) / σ, dw = Σ dy·x̂ and db = Σ dy over the rows of one split.
    /// </summary>
    internal readonly struct Backward<T, TMemory>(
        int n, int rows, int perSplit, int mode, TMemory x, TMemory weight, TMemory stats, TMemory dy, TMemory dx, TMemory partials)
        : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, rows = rows, perSplit = perSplit, mode = mode;
        private readonly TMemory x = x, weight = weight, stats = stats, dy = dy, dx = dx, partials = partials;

        public void Row<TLanes>(TLanes lanes, int split) where TLanes : struct, ILanes
        {
            TMemory x = this.x, weight = this.weight, dy = this.dy, dx = this.dx, partials = this.partials;
            int n = this.n, mode = this.mode, step = lanes.Count * T.Width, lane = lanes.Id * T.Width, sums = split * 2 * n;
            for (int r = 0; r < perSplit; r++)
            {
                // Rows past the last take part with no elements: the trip count must be the same for all lanes of a group.
                int row = split * perSplit + r, begin = row * n, end = row < rows ? begin + n : begin, known = Math.Min(row, rows - 1);
                T mu = T.Of(stats[2 * known]), scale = T.Of(stats[2 * known + 1]);
                RowSum.OfTwo<T, TLanes, Gradients<T, TMemory>>(
                    lanes, new(begin, n, stats[2 * known], x, weight, dy), begin, end, out float sumG, out float sumGx);
                T meanG = T.Of(sumG / n), meanGx = T.Of(sumGx / n) * scale;
                int i = begin + lane;
                for (; i <= end - T.Width; i += step)
                {
                    int j = i - begin, at = sums + j;
                    T d = dy.Load(i, NoEnd), normal = (x.Load(i, NoEnd) - mu) * scale;
                    if (mode >= 0)
                        dx.Deliver(i, NoEnd, (d * weight.Load(j, NoEnd) - meanG - normal * meanGx) * scale, mode);
                    partials.Deliver(at, NoEnd, d * normal, r);
                    partials.Deliver(at + n, NoEnd, d, r);
                }
                if (i < end)
                {
                    int j = i - begin, at = sums + j;
                    T d = dy.Load(i, end), normal = (x.Load(i, end) - mu) * scale;
                    if (mode >= 0)
                        dx.Deliver(i, end, (d * weight.Load(j, n) - meanG - normal * meanGx) * scale, mode);
                    partials.Deliver(at, sums + n, d * normal, r);
                    partials.Deliver(at + n, sums + 2 * n, d, r);
                }
            }
        }
    }

    /// <summary>Σ g and Σ g · (x − μ) of a row</summary>
    private readonly struct Gradients<T, TMemory>(int begin, int n, float mean, TMemory x, TMemory weight, TMemory dy) : IRowTerms<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int begin = begin, n = n;
        private readonly float mean = mean;
        private readonly TMemory x = x, weight = weight, dy = dy;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void AddTo(ref T first, ref T second, int i, int end)
        {
            T g = dy.Load(i, end) * weight.Load(i - begin, end == NoEnd ? NoEnd : n);
            first += g;
            second = T.Fma(g, x.Load(i, end) - T.Of(mean), second);
        }
    }
}
