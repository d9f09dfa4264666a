using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>
/// y = (x − μ) / √(σ² + ε) · w + b with mean μ and biased variance σ² of each column over the batch (Ioffe and Szegedy, 2015).
/// </summary>
public static class BatchNormOp
{
    private const int ColumnsPerRow = 256; // one a thread of the widest group, and a multiple of every vector width

    /// <summary>
    /// Normalises every column over the rows. x: (R, D); weight, bias, runningMean, runningVar: (D); the result is (R, D).
    /// In training it takes the batch's statistics and moves the running ones in place by <paramref name="momentum"/>, the variance with
    /// Bessel's correction; otherwise it takes the running ones.
    /// </summary>
    /// <remarks>
    /// With several <paramref name="ranks"/> the batch is that of them all, each giving as many rows (PyTorch's SyncBatchNorm): moments are
    /// joined in the forward pass, sums of gradients added in the backward pass. The gradients of weight and bias stay those of this rank's
    /// rows, as the gradients of all other parameters do.
    /// <para>A recomputed part (<see cref="RecomputeOp"/>) moves the running statistics the first time only.</para>
    /// </remarks>
    /// <exception cref="ArgumentException">A vector has not D elements, or a training batch has fewer than two rows.</exception>
    public static Tensor BatchNorm(
        this Tensor x, Tensor weight, Tensor bias, Tensor runningMean, Tensor runningVar, bool training, float momentum = 0.1f,
        float eps = 1e-5f, IRanks? ranks = null)
    {
        ranks ??= OneRank.Instance;
        Operands.Check(x, weight, bias, runningMean, runningVar);
        int rows = x.Shape.Rows, n = x.Shape.RowLength;
        if (weight.Count != n || bias.Count != n || runningMean.Count != n || runningVar.Count != n)
            throw new ArgumentException($"BatchNorm of {x.Shape} needs vectors of ({n}), not weight {weight.Shape}, bias {bias.Shape}, "
                + $"running mean {runningMean.Shape} and variance {runningVar.Shape}.");
        if (training && (long)rows * ranks.Count < 2)
            throw new ArgumentException($"BatchNorm in training needs at least two rows to have a variance, not {x.Shape}.", nameof(x));

        var device = x.Device;
        var blocks = new Blocks(rows, n);
        int splits = training ? blocks.Splits : 0;
        bool moves = training && !device.IsRecomputing;
        var y = device.Rent(x.Shape);
        var stats = device.Rent(new Shape(2, n)); // means, then 1/σ
        using (device.BeginScope())
        {
            var partials = device.Rent(new Shape(splits, 2 * n));
            var rule = new Rule(rows, n, splits, blocks.PerSplit, moves ? momentum : 0, eps);
            if (training)
            {
                device.Launch(new MomentsLaunch(blocks, x, partials));
                if (ranks.Count > 1)
                {
                    // One row of moments a rank, joined as the splits of one rank are: nothing cancels, however far the means are from 0.
                    var own = device.Rent(new Shape(1, 2 * n));
                    device.Launch(new OwnLaunch(rule, partials, own));
                    partials = ranks.Gather(own);
                    rule = new Rule(rows * ranks.Count, n, ranks.Count, rows, moves ? momentum : 0, eps);
                }
            }
            device.Launch(new ForwardLaunch(rule, partials, stats, runningMean, runningVar, x, weight, bias, y));
        }
        if (moves)
        {
            runningMean.NoteWrite();
            runningVar.NoteWrite();
        }
        Tape.For(x, weight, bias)?.Add<BackwardNode>(y).Of(x, weight, bias, stats, training, ranks);
        return y;
    }

    private readonly struct MomentsLaunch(Blocks blocks, Tensor x, Tensor partials) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(blocks.Count, blocks.Work, new Moments<T, TMemory>(blocks, TMemory.Of(x), TMemory.Of(partials)));
    }

    private readonly struct OwnLaunch(Rule rule, Tensor partials, Tensor own) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Elements(rule.N, new Own<T, TMemory>(rule, TMemory.Of(partials), TMemory.Of(own)));
    }

    private readonly struct ForwardLaunch(
        Rule rule, Tensor partials, Tensor stats, Tensor runningMean, Tensor runningVar, Tensor x, Tensor weight, Tensor bias, Tensor y)
        : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            run.Elements(rule.N, new Combine<T, TMemory>(
                rule, TMemory.Of(partials), TMemory.Of(stats), TMemory.Of(runningMean), TMemory.Of(runningVar)));
            run.Rows(x.Shape.Rows, rule.N, new Forward<T, TMemory>(
                rule.N, TMemory.Of(x), TMemory.Of(stats), TMemory.Of(weight), TMemory.Of(bias), TMemory.Of(y)));
        }
    }

    /// <summary>How the matrix is cut for column sums: splits of rows times chunks of columns, from the shape alone.</summary>
    internal readonly struct Blocks(int rows, int n)
    {
        public readonly int Rows = rows, N = n, PerSplit = Math.Max(16, (rows + 255) / 256),
            Chunks = (n + ColumnsPerRow - 1) / ColumnsPerRow;

        public int Splits => (Rows + PerSplit - 1) / PerSplit;

        public int Count => Splits * Chunks;

        public int Work => ColumnsPerRow * PerSplit;
    }

    internal readonly struct Rule(int rows, int n, int splits, int perSplit, float momentum, float eps)
    {
        public readonly int Rows = rows, N = n, Splits = splits, PerSplit = perSplit;
        public readonly float Momentum = momentum, Eps = eps;
    }

    /// <summary>
    /// Mean and Σ (x − mean)² of each column over one split. Of each piece of its rows, while they are near, the mean comes first, relative
    /// to the first row so that nothing cancels; then the squares; then it is put to those before it.
    /// </summary>
    internal readonly struct Moments<T, TMemory>(Blocks blocks, TMemory x, TMemory partials) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Blocks blocks = blocks;
        private readonly TMemory x = x, partials = partials;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int n = blocks.N, split = row / blocks.Chunks, left = (row - split * blocks.Chunks) * ColumnsPerRow;
            int right = Math.Min(n, left + ColumnsPerRow), begin = split * blocks.PerSplit,
                end = Math.Min(blocks.Rows, begin + blocks.PerSplit);
            for (int j = left + lanes.Id * T.Width; j < right; j += lanes.Count * T.Width)
            {
                T mean = T.Of(0), squares = T.Of(0);
                for (int from = begin; from < end; from += RowSum.Piece)
                {
                    int to = Math.Min(end, from + RowSum.Piece);
                    T origin = x.Load(from * n + j, from * n + right), sum = T.Of(0), around = T.Of(0);
                    for (int r = from + 1; r < to; r++)
                        sum += x.Load(r * n + j, r * n + right) - origin;
                    T own = T.Fma(sum, T.Of(1f / (to - from)), origin);
                    for (int r = from; r < to; r++)
                    {
                        T d = x.Load(r * n + j, r * n + right) - own;
                        around = T.Fma(d, d, around);
                    }
                    Join(ref mean, ref squares, own, around, from - begin, to - from);
                }
                int place = 2 * split * n;
                partials.Store(place + j, place + right, mean);
                partials.Store(place + n + j, place + n + right, squares);
            }
        }
    }

    /// <summary>
    /// Puts the moments of <paramref name="here"/> rows to those of the <paramref name="before"/> (Chan, Golub and LeVeque, 1979).
    /// </summary>
    private static void Join<T>(ref T mean, ref T squares, T ownMean, T ownSquares, int before, int here) where T : struct, IReal<T>
    {
        float share = (float)here / (before + here);
        T difference = ownMean - mean;
        squares += T.Fma(difference * T.Of(share * before), difference, ownSquares);
        mean = T.Fma(difference, T.Of(share), mean);
    }

    /// <summary>Mean and Σ (x − mean)² of each column over this rank's rows, from those of its splits, in order.</summary>
    internal readonly struct Own<T, TMemory>(Rule rule, TMemory partials, TMemory own) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Rule rule = rule;
        private readonly TMemory partials = partials, own = own;

        public void At(int i, int end)
        {
            int n = rule.N;
            JoinAll(rule, partials, i, out T mean, out T squares);
            own.Store(i, n, mean);
            own.Store(n + i, 2 * n, squares);
        }
    }

    private static void JoinAll<T, TMemory>(Rule rule, TMemory partials, int i, out T mean, out T squares)
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        int n = rule.N;
        (mean, squares) = (T.Of(0), T.Of(0));
        for (int s = 0; s < rule.Splits; s++)
        {
            int before = s * rule.PerSplit, here = Math.Min(rule.Rows, before + rule.PerSplit) - before, place = 2 * s * n;
            Join(ref mean, ref squares, partials.Load(place + i, place + n), partials.Load(place + n + i, place + 2 * n), before, here);
        }
    }

    /// <summary>
    /// The statistics of each column from those of its splits, in order, and the running ones, which a momentum of 0 leaves; without
    /// splits, from the running ones.
    /// </summary>
    internal readonly struct Combine<T, TMemory>(Rule rule, TMemory partials, TMemory stats, TMemory runningMean, TMemory runningVar)
        : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Rule rule = rule;
        private readonly TMemory partials = partials, stats = stats, runningMean = runningMean, runningVar = runningVar;

        public void At(int i, int end)
        {
            int n = rule.N;
            T mean = runningMean.Load(i, end), variance = runningVar.Load(i, end);
            if (rule.Splits > 0)
            {
                T oldMean = mean, oldVariance = variance;
                JoinAll(rule, partials, i, out mean, out T squares);
                variance = squares * T.Of(1f / rule.Rows);
                if (rule.Momentum != 0)
                {
                    T move = T.Of(rule.Momentum), unbiased = squares * T.Of(1f / (rule.Rows - 1));
                    runningMean.Store(i, end, T.Fma(move, mean - oldMean, oldMean));
                    runningVar.Store(i, end, T.Fma(move, unbiased - oldVariance, oldVariance));
                }
            }
            stats.Store(i, n, mean);
            stats.Store(n + i, 2 * n, T.Of(1) / T.Sqrt(variance + T.Of(rule.Eps)));
        }
    }

    internal readonly struct Forward<T, TMemory>(int n, TMemory x, TMemory stats, TMemory weight, TMemory bias, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory x = x, stats = stats, weight = weight, bias = bias, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n;
            for (int j = lanes.Id * T.Width; j < n; j += lanes.Count * T.Width)
            {
                T normal = (x.Load(begin + j, end) - stats.Load(j, n)) * stats.Load(n + j, 2 * n);
                y.Store(begin + j, end, T.Fma(normal, weight.Load(j, n), bias.Load(j, n)));
            }
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, weight = null!, bias = null!, stats = null!;
        private bool training;
        private IRanks ranks = null!;

        public void Of(Tensor input, Tensor scale, Tensor shift, Tensor columnStats, bool ofBatch, IRanks together) =>
            (x, weight, bias, stats, training, ranks) = (Save(input), Save(scale), Track(shift), Save(columnStats), ofBatch, together);

        public override void Backward(Tensor dy)
        {
            var device = dy.Device;
            int rows = dy.Shape.Rows, n = dy.Shape.RowLength;
            var blocks = new Blocks(rows, n);
            int splits = blocks.Splits;
            Tensor partials = device.Rent(new Shape(splits, 2 * n)), sums = device.Rent(new Shape(2, n));
            Tensor dWeight = sums.Alias(new Shape(n)), dBias = sums.Alias(new Shape(n), n);
            device.Launch(new ProductsLaunch(blocks, x, stats, dy, partials));
            PairSums.Run(partials, splits, n, dWeight, 0, dBias, 0);
            Tensor ofScale = dWeight, ofShift = dBias; // of the whole batch
            if (training && ranks.Count > 1)
            {
                var own = sums;
                sums = device.Rent(own.Shape);
                sums.CopyFrom(own);
                ranks.Sum(sums); // also where x needs no gradient: another rank's may
                (ofScale, ofShift) = (sums.Alias(new Shape(n)), sums.Alias(new Shape(n), n));
            }
            if (Tape.GradientOf(x, out int accumulate) is { } dx)
            {
                float share = training ? 1f / (rows * ranks.Count) : 0; // running statistics do not depend on x
                device.Launch(new BackwardLaunch(share, x, stats, weight, ofScale, ofShift, dy, dx, accumulate));
            }
            Tape.AddGradient(weight, dWeight);
            Tape.AddGradient(bias, dBias);
        }
    }

    private readonly struct ProductsLaunch(Blocks blocks, Tensor x, Tensor stats, Tensor dy, Tensor partials) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Rows(blocks.Count, blocks.Work, new Products<T, TMemory>(
            blocks, TMemory.Of(x), TMemory.Of(stats), TMemory.Of(dy), TMemory.Of(partials)));
    }

    private readonly struct BackwardLaunch(
        float share, Tensor x, Tensor stats, Tensor weight, Tensor dWeight, Tensor dBias, Tensor dy, Tensor dx, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int n = dy.Shape.RowLength;
            run.Rows(dy.Shape.Rows, n, new Backward<T, TMemory>(
                n, share, TMemory.Of(x), TMemory.Of(stats), TMemory.Of(weight), TMemory.Of(dWeight), TMemory.Of(dBias), TMemory.Of(dy),
                TMemory.Of(dx), accumulate));
        }
    }

    /// <summary>Σ dy·x̂ and Σ dy of each column over one split.</summary>
    internal readonly struct Products<T, TMemory>(Blocks blocks, TMemory x, TMemory stats, TMemory dy, TMemory partials) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Blocks blocks = blocks;
        private readonly TMemory x = x, stats = stats, dy = dy, partials = partials;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int n = blocks.N, split = row / blocks.Chunks, left = (row - split * blocks.Chunks) * ColumnsPerRow;
            int right = Math.Min(n, left + ColumnsPerRow), begin = split * blocks.PerSplit,
                end = Math.Min(blocks.Rows, begin + blocks.PerSplit);
            for (int j = left + lanes.Id * T.Width; j < right; j += lanes.Count * T.Width)
            {
                T mean = stats.Load(j, n), inverse = stats.Load(n + j, 2 * n);
                int place = 2 * split * n;
                partials.Store(
                    place + j, place + right,
                    RowSum.OfColumn<T, WithNormal<T, TMemory>>(new(x, dy, mean, inverse, n, j, right), begin, end));
                partials.Store(
                    place + n + j, place + n + right, RowSum.OfColumn<T, ColumnElements<T, TMemory>>(new(dy, j, n, j), begin, end));
            }
        }
    }

    /// <summary>Σ dy·x̂ of a column</summary>
    private readonly struct WithNormal<T, TMemory>(TMemory x, TMemory dy, T mean, T inverse, int n, int column, int right) : IColumnTerm<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x, dy = dy;
        private readonly T mean = mean, inverse = inverse;
        private readonly int n = n, column = column, right = right;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T AddTo(T sum, int row)
        {
            int at = row * n + column, end = row * n + right;
            return T.Fma(dy.Load(at, end), (x.Load(at, end) - mean) * inverse, sum);
        }
    }

    /// <summary>dx = w/σ · (dy − mean dy − x̂ · mean(dy·x̂)), the means only if the statistics are the batch's.</summary>
    internal readonly struct Backward<T, TMemory>(
        int n, float share, TMemory x, TMemory stats, TMemory weight, TMemory dWeight, TMemory dBias, TMemory dy, TMemory dx,
        int accumulate)
        : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n, accumulate = accumulate;
        private readonly float share = share;
        private readonly TMemory x = x, stats = stats, weight = weight, dWeight = dWeight, dBias = dBias, dy = dy, dx = dx;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * n, end = begin + n;
            T part = T.Of(share);
            for (int j = lanes.Id * T.Width; j < n; j += lanes.Count * T.Width)
            {
                T inverse = stats.Load(n + j, 2 * n), d = dy.Load(begin + j, end);
                if (share != 0) // times 0 an infinite one would still be NaN
                {
                    T normal = (x.Load(begin + j, end) - stats.Load(j, n)) * inverse;
                    d -= part * T.Fma(normal, dWeight.Load(j, n), dBias.Load(j, n));
                }
                dx.Deliver(begin + j, end, d * weight.Load(j, n) * inverse, accumulate);
            }
        }
    }
}
