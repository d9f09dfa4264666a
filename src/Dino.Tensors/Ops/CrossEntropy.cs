using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>
/// Cross-entropy between views of a picture: mean over pairs of views i ≠ j and over the batch of −Σₖ qᵢₖ ln softmax(sⱼ/τ)ₖ.
/// </summary>
public static class CrossEntropyOp
{
    /// <summary>
    /// The mean cross-entropy between the target distribution of each view and that of the logits of every other one, as a scalar tensor.
    /// </summary>
    /// <param name="logits">
    /// (n·B, K): all images of crop 0, then all of crop 1, … Kept by reference for the backward pass, not copied.
    /// </param>
    /// <param name="targets">Probabilities (v·B, K) of the first v crops, ordered alike; kept by reference, no gradient.</param>
    /// <param name="batch">B, the images.</param>
    /// <param name="temperature">τ &gt; 0.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not divide by the batch, K differs, there is no pair of different views, or τ is not positive.
    /// </exception>
    public static Tensor MultiViewCrossEntropy(this Tensor logits, Tensor targets, int batch, float temperature)
    {
        Operands.Check(logits, targets);
        int k = logits.Shape.RowLength, rows = logits.Shape.Rows, targetRows = targets.Shape.Rows;
        if (batch <= 0 || rows % batch != 0 || targetRows % batch != 0)
            throw new ArgumentException(
                $"Logits {logits.Shape} and targets {targets.Shape} must have a whole number of crops of {batch} images.", nameof(batch));
        if (k == 0)
            throw new ArgumentException($"Logits {logits.Shape} are of no prototypes.", nameof(logits));
        if (targets.Shape.RowLength != k)
            throw new ArgumentException($"Logits {logits.Shape} and targets {targets.Shape} differ in the number of prototypes.",
                nameof(targets));
        if (!(temperature > 0))
            throw new ArgumentException(FormattableString.Invariant($"A temperature is positive, not {temperature}."), nameof(temperature));
        int crops = rows / batch, views = targetRows / batch;
        long pairs = (long)crops * views - Math.Min(crops, views);
        if (pairs == 0)
            throw new ArgumentException($"{views} target views and {crops} crops make no pair of different views.", nameof(targets));

        var device = logits.Device;
        var problem = new Problem(k, batch, crops, views, 1 / temperature, 1f / ((float)pairs * batch));
        var logSums = device.Rent(new Shape(rows, 2)); // the largest logit s, and ln Σ e^((s − largest)/τ)
        var losses = device.Rent(new Shape(rows));
        device.Launch(new ForwardLaunch(problem, logits, targets, logSums, losses));
        var loss = Total<PlainTerm>.Of(losses, problem.Weight);
        Tape.For(logits)?.Add<BackwardNode>(loss).Of(problem, logits, targets, logSums);
        return loss;
    }

    /// <summary>Sizes, 1/τ, and the weight of one row of one pair in the mean.</summary>
    internal readonly struct Problem(int k, int batch, int crops, int views, float scale, float weight)
    {
        public readonly int K = k, Batch = batch, Crops = crops, Views = views;
        public readonly float Scale = scale, Weight = weight;
    }

    private readonly struct ForwardLaunch(Problem problem, Tensor logits, Tensor targets, Tensor logSums, Tensor losses) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(logits.Shape.Rows, problem.K, new Forward<T, TMemory>(
                problem, TMemory.Of(logits), TMemory.Of(targets), TMemory.Of(logSums), TMemory.Of(losses)));
    }

    // Work item "row" is crop row % n of image row / n, so that the crops of an image follow each other while its targets are in a cache.
    internal readonly struct Forward<T, TMemory>(Problem problem, TMemory logits, TMemory targets, TMemory logSums, TMemory losses)
        : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Problem problem = problem;
        private readonly TMemory logits = logits, targets = targets, logSums = logSums, losses = losses;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int image = row / problem.Crops, crop = row - image * problem.Crops, place = crop * problem.Batch + image;
            int begin = place * problem.K, end = begin + problem.K, step = lanes.Count * T.Width;
            T scale = T.Of(problem.Scale), max = T.Of(OnlineSoftmax.Lowest), allTotal = T.Of(0), allBelow = T.Of(0), allMass = T.Of(0);
            int block = begin + lanes.Id * T.Width;
            while (block < end)
            {
                T start = max, total = T.Of(0), below = T.Of(0), mass = T.Of(0);
                for (int b = 0; b < OnlineSoftmax.PieceBlocks && block < end; b++, block += OnlineSoftmax.BlockSteps * step)
                {
                    int blockEnd = Math.Min(end - block, OnlineSoftmax.BlockSteps * step) + block;
                    T before = max;
                    OnlineSoftmax.Add(logits, block, blockEnd, end, step, scale, ref max, ref total);
                    below = Raise(below, mass, before, max);
                    for (int view = 0; view < problem.Views; view++)
                    {
                        if (view == crop)
                            continue;
                        int shift = (view * problem.Batch + image) * problem.K - begin;
                        T blockBelow = T.Of(0), blockMass = T.Of(0);
                        for (int i = block; i < blockEnd; i += step)
                        {
                            T q = targets.Load(i + shift, end + shift);
                            blockBelow = T.Fma(q, max - logits.Load(i, end), blockBelow);
                            blockMass += q;
                        }
                        below += blockBelow;
                        mass += blockMass;
                    }
                }
                allTotal = OnlineSoftmax.Raise(allTotal, start, max, scale) + total;
                allBelow = Raise(allBelow, allMass, start, max) + below;
                allMass += mass;
            }
            float logSum = OnlineSoftmax.LogSum(lanes, scale, max, allTotal, out float highest);
            // −Σ q ((s − max)/τ − ln Σ e^((s − max)/τ)), summed over the views
            float loss = logSum * lanes.Sum(T.Sum(allMass))
                + problem.Scale * lanes.Sum(T.Sum(Raise(allBelow, allMass, max, T.Of(highest))));
            if (lanes.Id == 0)
            {
                TMemory sums = logSums, result = losses;
                sums[2 * place] = highest;
                sums[2 * place + 1] = logSum;
                result[place] = loss;
            }
        }

        /// <summary>
        /// Σ q (from − s), given as <paramref name="below"/>, as Σ q (to − s). Finite: before the first number there is no mass.
        /// </summary>
        private static T Raise(T below, T mass, T from, T to) => T.Fma(T.Min(to - from, T.Of(float.MaxValue)), mass, below);
    }

    private sealed class BackwardNode : Node
    {
        private Problem problem;
        private Tensor logits = null!, targets = null!, logSums = null!;

        public void Of(in Problem sizes, Tensor s, Tensor q, Tensor rowLogSums) =>
            (problem, logits, targets, logSums) = (sizes, Save(s), Save(q), Save(rowLogSums));

        public override void Backward(Tensor dy)
        {
            var ds = Tape.GradientOf(logits, out int accumulate)!;
            dy.Device.Launch(new BackwardLaunch(problem, logits, targets, logSums, dy, ds, accumulate));
        }
    }

    private readonly struct BackwardLaunch(
        Problem problem, Tensor logits, Tensor targets, Tensor logSums, Tensor dy, Tensor ds, int accumulate) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(logits.Shape.Rows, problem.K, new Backward<T, TMemory>(
                problem, TMemory.Of(logits), TMemory.Of(targets), TMemory.Of(logSums), TMemory.Of(dy), TMemory.Of(ds), accumulate));
    }

    /// <summary>dsⱼ = dloss · weight / τ · (number of i ≠ j · softmax(sⱼ/τ) − Σ over i ≠ j of qᵢ)</summary>
    internal readonly struct Backward<T, TMemory>(
        Problem problem, TMemory logits, TMemory targets, TMemory logSums, TMemory dLoss, TMemory ds, int accumulate) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Problem problem = problem;
        private readonly TMemory logits = logits, targets = targets, logSums = logSums, dLoss = dLoss, ds = ds;
        private readonly int accumulate = accumulate;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int image = row / problem.Crops, crop = row - image * problem.Crops, place = crop * problem.Batch + image;
            int begin = place * problem.K, end = begin + problem.K, step = lanes.Count * T.Width;
            int others = crop < problem.Views ? problem.Views - 1 : problem.Views;
            T scale = T.Of(problem.Scale), count = T.Of(others), max = T.Of(logSums[2 * place]), shift = T.Of(-logSums[2 * place + 1]);
            T factor = T.Of(problem.Weight * problem.Scale * dLoss[0]);
            for (int i = begin + lanes.Id * T.Width; i < end; i += step)
            {
                T d = count * Real.ExpOfNegative(T.Fma(logits.Load(i, end) - max, scale, shift));
                for (int view = 0; view < problem.Views; view++)
                {
                    int target = (view * problem.Batch + image) * problem.K - begin;
                    if (view != crop)
                        d -= targets.Load(i + target, end + target);
                }
                ds.Deliver(i, end, d * factor, accumulate);
            }
        }
    }
}
