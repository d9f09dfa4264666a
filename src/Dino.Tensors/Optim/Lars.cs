using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// Layer-wise adaptive rate scaling (You, Gitman and Ginsburg, 2017), momentum 0.9: d = g + λp; u ← 0.9 u + 0.001 ‖p‖/‖d‖ · d;
/// p ← p − ηu. The ratio is 1 where a norm is 0, and for vectors, which do not decay either.
/// </summary>
public sealed class Lars : Optimizer
{
    private const string Momentum = "momentum";

    private readonly Tensor momentum, partials, trust;

    /// <summary>Starts with a momentum of 0.</summary>
    public Lars(FlatParameters target) : base(target)
    {
        momentum = NewState();
        partials = target.Device.RentUnowned(new Shape(2, Table.ChunkCount));
        trust = target.Device.RentUnowned(new Shape(Table.Parameters.Count));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HostTensor> Save() => Save(momentum, Momentum);

    /// <inheritdoc/>
    public override void Load(IEnumerable<HostTensor> state)
    {
        List<HostTensor> given = [.. state];
        Load(momentum, Momentum, given);
        ThrowIfAny(given);
    }

    private protected override void Update(double learningRate, double weightDecay, bool cancelLastLayer)
    {
        var device = Target.Device;
        int chunks = Table.ChunkCount, count = Table.Parameters.Count, mean = chunks / Math.Max(1, count);
        if (device.IsHost)
        {
            RowLoop<SumSquares<Simd, HostMemory>>.OnHost(device, chunks, ChunkTable.ChunkLength, new(
                (float)weightDecay, chunks, HostMemory.Of(Table.Chunks), HostMemory.Of(Factors), HostMemory.Of(Gradients),
                HostMemory.Of(Target.Values), HostMemory.Of(partials)));
            RowLoop<Finish<Simd, HostMemory>>.OnHost(device, count, mean, new(
                chunks, HostMemory.Of(Table.Ranges), HostMemory.Of(Table.Chunks), HostMemory.Of(partials), HostMemory.Of(trust)));
        }
        else
        {
            RowLoop<SumSquares<Lane, ViewMemory>>.OnAccelerator(device, chunks, ChunkTable.ChunkLength, new(
                (float)weightDecay, chunks, ViewMemory.Of(Table.Chunks), ViewMemory.Of(Factors), ViewMemory.Of(Gradients),
                ViewMemory.Of(Target.Values), ViewMemory.Of(partials)));
            RowLoop<Finish<Lane, ViewMemory>>.OnAccelerator(device, count, mean, new(
                chunks, ViewMemory.Of(Table.Ranges), ViewMemory.Of(Table.Chunks), ViewMemory.Of(partials), ViewMemory.Of(trust)));
        }
        MomentumStep.Run(Target, Table, Gradients, Factors, trust, momentum, learningRate, weightDecay, cancelLastLayer);
    }

    private protected override void DisposeState()
    {
        momentum.Dispose();
        partials.Dispose();
        trust.Dispose();
    }

    /// <summary>Σp² and Σd² of every chunk.</summary>
    internal readonly struct SumSquares<T, TMemory>(
        float decay, int count, TMemory chunks, TMemory factors, TMemory gradients, TMemory parameters, TMemory partials) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float decay = decay;
        private readonly int count = count;
        private readonly TMemory chunks = chunks, factors = factors, gradients = gradients, parameters = parameters, partials = partials;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory gradient = gradients, parameter = parameters, sums = partials;
            int at = row * ChunkTable.Columns, begin = chunks.Int(at), end = chunks.Int(at + 1), step = lanes.Count * T.Width;
            T factor = T.Of(factors[chunks.Int(at + 2)]);
            T lambda = T.Of((chunks.Int(at + 3) & ChunkTable.Decayed) != 0 ? decay : 0f), ofP = T.Of(0), ofD = T.Of(0);
            for (int i = begin + lanes.Id * T.Width; i < end; i += step)
            {
                T p = parameter.Load(i, end), d = T.Fma(lambda, p, gradient.Load(i, end) * factor);
                ofP = T.Fma(p, p, ofP);
                ofD = T.Fma(d, d, ofD);
            }
            float sumP = lanes.Sum(T.Sum(ofP)), sumD = lanes.Sum(T.Sum(ofD));
            if (lanes.Id != 0)
                return;
            sums[row] = sumP;
            sums[count + row] = sumD;
        }
    }

    /// <summary>The trust ratio of every parameter.</summary>
    internal readonly struct Finish<T, TMemory>(int count, TMemory ranges, TMemory chunks, TMemory partials, TMemory trust) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int count = count;
        private readonly TMemory ranges = ranges, chunks = chunks, partials = partials, trust = trust;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory sums = partials, ratios = trust;
            int begin = ranges.Int(2 * row), end = ranges.Int(2 * row + 1), step = lanes.Count * T.Width;
            T ofP = T.Of(0), ofD = T.Of(0);
            for (int i = begin + lanes.Id * T.Width; i < end; i += step)
            {
                ofP += sums.Load(i, end);
                ofD += sums.Load(count + i, count + end);
            }
            float p = MathF.Sqrt(lanes.Sum(T.Sum(ofP))), d = MathF.Sqrt(lanes.Sum(T.Sum(ofD)));
            if (lanes.Id != 0)
                return;
            bool scaled = begin < end && (chunks.Int(begin * ChunkTable.Columns + 3) & ChunkTable.NotVector) != 0;
            ratios[row] = scaled && p > 0 && d > 0 ? 0.001f * p / d : 1;
        }
    }
}
