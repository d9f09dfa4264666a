using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// Layer-wise adaptive rate scaling (You, Gitman and Ginsburg, 2017) with momentum μ and trust coefficient c: d = g + λp;
/// u ← μu + c ‖p‖/‖d‖ · d; p ← p − ηu. The ratio is 1, without c, where a norm is 0 and for what is not
/// <see cref="ParameterGroup.Adapted"/>.
/// </summary>
public sealed class Lars : Optimizer
{
    private readonly Tensor momenta, partials, trust;
    private readonly float momentum, coefficient;

    /// <summary>Starts with a momentum of 0.</summary>
    /// <param name="target">What is trained.</param>
    /// <param name="groups">Parameters to be treated apart.</param>
    /// <param name="momentum">μ, in [0, 1).</param>
    /// <param name="trustCoefficient">c, above 0.</param>
    /// <inheritdoc cref="Optimizer(FlatParameters, IReadOnlyList{ParameterGroup})" path="/exception"/>
    public Lars(
        FlatParameters target, IReadOnlyList<ParameterGroup>? groups = null, double momentum = 0.9, double trustCoefficient = 0.001)
        : base(target, groups)
    {
        (this.momentum, coefficient) = (Fraction(momentum, nameof(momentum)), Positive(trustCoefficient, nameof(trustCoefficient)));
        momenta = NewState("momentum");
        partials = NewScratch(new Shape(2, Table.ChunkCount));
        trust = NewScratch(new Shape(Table.Parameters.Count));
    }

    /// <inheritdoc/>
    protected override void Update(in StepRates rates)
    {
        var gradients = Gradients;
        Target.Device.Launch(new Trust(Table, (float)rates.WeightDecay, coefficient, Factors, gradients, Target.Values, partials, trust));
        MomentumStep.Run(Target, Table, gradients, Factors, trust, momenta, momentum, rates);
    }

    private readonly struct Trust(
        ChunkTable table, float decay, float coefficient, Tensor factors, Tensor gradients, Tensor parameters, Tensor partials,
        Tensor trust) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int chunks = table.ChunkCount, count = table.Parameters.Count, mean = chunks / Math.Max(1, count);
            run.Rows(chunks, ChunkTable.ChunkLength, new ChunkNorms<T, TMemory>(
                decay, chunks, TMemory.Of(table.Chunks), TMemory.Of(factors), TMemory.Of(gradients), TMemory.Of(parameters),
                TMemory.Of(partials)));
            run.Rows(count, mean, new Finish<T, TMemory>(
                chunks, coefficient, TMemory.Of(table.Ranges), TMemory.Of(table.Chunks), TMemory.Of(partials), TMemory.Of(trust)));
        }
    }

    /// <summary>‖p‖ and ‖d‖ of every chunk.</summary>
    internal readonly struct ChunkNorms<T, TMemory>(
        float decay, int count, TMemory chunks, TMemory factors, TMemory gradients, TMemory parameters, TMemory partials) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float decay = decay;
        private readonly int count = count;
        private readonly TMemory chunks = chunks, factors = factors, gradients = gradients, parameters = parameters, partials = partials;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory norms = partials;
            var chunk = ParameterChunk.Read<T, TMemory>(chunks, row);
            float factor = factors[chunk.Parameter], lambda = decay * chunk.Decay;
            float ofP = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(parameters), chunk.Begin, chunk.End);
            float ofD = RowNorm.Of<T, TLanes, Direction<T, TMemory>>(
                lanes, new(lambda, factor, parameters, gradients), chunk.Begin, chunk.End);
            if (lanes.Id != 0)
                return;
            norms[row] = ofP;
            norms[count + row] = ofD;
        }
    }

    /// <summary>d = λp + g</summary>
    private readonly struct Direction<T, TMemory>(float lambda, float factor, TMemory parameters, TMemory gradients) : IRowNumbers<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float lambda = lambda, factor = factor;
        private readonly TMemory parameters = parameters, gradients = gradients;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T At(int i, int end) => T.Fma(T.Of(lambda), parameters.Load(i, end), gradients.Load(i, end) * T.Of(factor));
    }

    /// <summary>The trust ratio of every parameter.</summary>
    internal readonly struct Finish<T, TMemory>(
        int count, float coefficient, TMemory ranges, TMemory chunks, TMemory partials, TMemory trust) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int count = count;
        private readonly float coefficient = coefficient;
        private readonly TMemory ranges = ranges, chunks = chunks, partials = partials, trust = trust;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory ratios = trust;
            int begin = ranges.Int(2 * row), end = ranges.Int(2 * row + 1);
            float p = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(partials), begin, end);
            float d = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(partials), count + begin, count + end);
            if (lanes.Id != 0)
                return;
            bool scaled = begin < end && ParameterChunk.Read<T, TMemory>(chunks, begin).Adapted != 0;
            ratios[row] = scaled && p > 0 && d > 0 ? coefficient * p / d : 1;
        }
    }
}
