using Dino.Tensors.Kernels;

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
        x.ThrowIfNot(DType.Float32);
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

    private static void Normalize(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y, Tensor stats)
    {
        var device = x.Device;
        int rows = x.Shape.Rows, n = x.Shape.RowLength;
        if (device.IsHost)
            RowLoop<Forward<Simd, HostMemory>>.OnHost(device, rows, n, new(n, eps,
                HostMemory.Of(x), HostMemory.Of(weight), HostMemory.Of(bias), HostMemory.Of(y), HostMemory.Of(stats)));
        else
            RowLoop<Forward<Lane, ViewMemory>>.OnAccelerator(device, rows, n, new(n, eps,
                ViewMemory.Of(x), ViewMemory.Of(weight), ViewMemory.Of(bias), ViewMemory.Of(y), ViewMemory.Of(stats)));
    }

    internal readonly struct Forward<T, TMemory>(int n, float eps, TMemory x, TMemory weight, TMemory bias, TMemory y, TMemory stats) : IRowBody
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
            int n = this.n, begin = row * n, end = begin + n, first = begin + lanes.Id * T.Width, step = lanes.Count * T.Width;
            T total = T.Of(0);
            for (int i = first; i < end; i += step)
                total += x.Load(i, end);
            float mean = lanes.Sum(T.Sum(total)) / n;
            T mu = T.Of(mean), squares = T.Of(0);
            for (int i = first; i < end; i += step)
            {
                T d = x.Load(i, end, mean) - mu;
                squares = T.Fma(d, d, squares);
            }
            float inverse = 1 / MathF.Sqrt(lanes.Sum(T.Sum(squares)) / n + eps);
            T scale = T.Of(inverse);
            for (int i = first; i < end; i += step)
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
            int perSplit = Math.Max(8, (rows + 511) / 512), splits = (rows + perSplit - 1) / perSplit;
            var partials = device.Rent(new Shape(splits, 2 * n));
            var dx = Tape.GradientOf(x, out int accumulate);
            int mode = dx is null ? -1 : accumulate;
            if (device.IsHost)
                RowLoop<Backward<Simd, HostMemory>>.OnHost(device, splits, n * perSplit, new(n, rows, perSplit, mode, HostMemory.Of(x),
                    HostMemory.Of(weight), HostMemory.Of(stats), HostMemory.Of(dy), HostMemory.Of(dx), HostMemory.Of(partials)));
            else
                RowLoop<Backward<Lane, ViewMemory>>.OnAccelerator(device, splits, n, new(n, rows, perSplit, mode, ViewMemory.Of(x),
                    ViewMemory.Of(weight), ViewMemory.Of(stats), ViewMemory.Of(dy), ViewMemory.Of(dx), ViewMemory.Of(partials)));
            var dWeight = Tape.GradientOf(weight, out int addWeight);
            var dBias = Tape.GradientOf(bias, out int addBias);
            PairSums.Run(partials, splits, n, dWeight, addWeight, dBias, addBias);
        }
    }

    /// <summary>
    /// With x̂ = (x − μ)/σ and g = w·dy: dx = (g − mean g − x̂ · mean(g·x̂)) / σ, dw = Σ dy·x̂ and db = Σ dy over the rows of one split.
    /// </summary>
    internal readonly struct Backward<T, TMemory>(
        int n, int rows, int perSplit, int mode, TMemory x, TMemory weight, TMemory stats, TMemory dy, TMemory dx, TMemory partials) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, rows = rows, perSplit = perSplit, mode = mode;
        private readonly TMemory x = x, weight = weight, stats = stats, dy = dy, dx = dx, partials = partials;

        public void Row<TLanes>(TLanes lanes, int split) where TLanes : struct, ILanes
        {
            int step = lanes.Count * T.Width, sums = split * 2 * n;
            for (int r = 0; r < perSplit; r++)
            {
                // Rows past the last take part with no elements: the trip count must be the same for all lanes of a group.
                int row = split * perSplit + r, begin = row * n, end = row < rows ? begin + n : begin, first = begin + lanes.Id * T.Width;
                int known = Math.Min(row, rows - 1);
                float mean = stats[2 * known], inverse = stats[2 * known + 1];
                T mu = T.Of(mean), scale = T.Of(inverse), sumG = T.Of(0), sumGx = T.Of(0);
                for (int i = first; i < end; i += step)
                {
                    T g = dy.Load(i, end) * weight.Load(i - begin, n);
                    sumG += g;
                    sumGx = T.Fma(g, (x.Load(i, end) - mu) * scale, sumGx);
                }
                T meanG = T.Of(lanes.Sum(T.Sum(sumG)) / n), meanGx = T.Of(lanes.Sum(T.Sum(sumGx)) / n);
                for (int i = first; i < end; i += step)
                {
                    int j = i - begin;
                    T d = dy.Load(i, end), normal = (x.Load(i, end) - mu) * scale;
                    if (mode >= 0)
                        dx.Deliver(i, end, (d * weight.Load(j, n) - meanG - normal * meanGx) * scale, mode);
                    partials.Deliver(sums + j, sums + n, d * normal, r);
                    partials.Deliver(sums + n + j, sums + 2 * n, d, r);
                }
            }
        }
    }
}
