using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), β = (0.9, 0.999), ε = 10⁻⁸:
/// p ← (1 − λη) p; m ← β₁m + (1 − β₁) g; v ← β₂v + (1 − β₂) g²; p ← p − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
/// </summary>
/// <remarks>
/// t counts the steps that a parameter took part in. Only the last layer ever sits one out, so there are two counts: its own and that
/// of all others.
/// </remarks>
public sealed class AdamW : Optimizer
{
    private const double Beta1 = 0.9, Beta2 = 0.999;
    private const string Steps = "steps", Mean = "mean", Variance = "variance";

    private readonly Tensor mean, variance;
    private int steps, lastLayerSteps;

    /// <summary>Starts with moments of 0.</summary>
    public AdamW(FlatParameters target) : base(target) => (mean, variance) = (NewState(), NewState());

    /// <inheritdoc/>
    public override IReadOnlyList<HostTensor> Save() =>
        [new HostTensor(Steps, new Shape(2), [steps, lastLayerSteps]), .. Save(mean, Mean), .. Save(variance, Variance)];

    /// <inheritdoc/>
    public override void Load(IEnumerable<HostTensor> state)
    {
        List<HostTensor> given = [.. state];
        var counts = given.Find(tensor => tensor.Name == Steps);
        if (counts is null || counts.Values.Length != 2 || counts.Values.Any(count => !(count >= 0 && count < int.MaxValue && MathF.Truncate(count) == count)))
            throw new InvalidDataException($"AdamW's state needs '{Steps}', two whole numbers of steps.");
        given.Remove(counts);
        Load(mean, Mean, given);
        Load(variance, Variance, given);
        ThrowIfAny(given);
        (steps, lastLayerSteps) = ((int)counts.Values[0], (int)counts.Values[1]);
    }

    private protected override void Update(double learningRate, double weightDecay, bool cancelLastLayer)
    {
        steps++;
        if (!cancelLastLayer)
            lastLayerSteps++;
        float decay = (float)(1 - learningRate * weightDecay);
        var others = new Rates(learningRate, steps);
        var last = cancelLastLayer ? default : new Rates(learningRate, lastLayerSteps);
        var device = Target.Device;
        if (device.IsHost)
            RowLoop<Body<Simd, HostMemory>>.OnHost(device, Table.ChunkCount, ChunkTable.ChunkLength, new(
                decay, others, last, HostMemory.Of(Table.Chunks), HostMemory.Of(Factors), HostMemory.Of(Gradients),
                HostMemory.Of(Target.Values), HostMemory.Of(mean), HostMemory.Of(variance)));
        else
            RowLoop<Body<Lane, ViewMemory>>.OnAccelerator(device, Table.ChunkCount, ChunkTable.ChunkLength, new(
                decay, others, last, ViewMemory.Of(Table.Chunks), ViewMemory.Of(Factors), ViewMemory.Of(Gradients),
                ViewMemory.Of(Target.Values), ViewMemory.Of(mean), ViewMemory.Of(variance)));
    }

    private protected override void DisposeState()
    {
        mean.Dispose();
        variance.Dispose();
    }

    /// <summary>What depends on the count of steps; all 0 for parameters that sit the step out.</summary>
    internal readonly struct Rates(double learningRate, int step)
    {
        public readonly int Active = 1;
        public readonly float Size = (float)(learningRate / (1 - Math.Pow(Beta1, step)));
        public readonly float RootCorrection = (float)Math.Sqrt(1 - Math.Pow(Beta2, step));
    }

    internal readonly struct Body<T, TMemory>(
        float decay, Rates others, Rates last, TMemory chunks, TMemory factors,
        TMemory gradients, TMemory parameters, TMemory means, TMemory variances) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float decay = decay;
        private readonly Rates others = others, last = last;
        private readonly TMemory chunks = chunks, factors = factors;
        private readonly TMemory gradients = gradients, parameters = parameters, means = means, variances = variances;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory gradient = gradients, parameter = parameters, mean = means, variance = variances;
            int at = row * ChunkTable.Columns, begin = chunks.Int(at), end = chunks.Int(at + 1), flags = chunks.Int(at + 3);
            Rates rates = (flags & ChunkTable.LastLayer) != 0 ? last : others;
            if (rates.Active == 0)
                return;
            T factor = T.Of(factors[chunks.Int(at + 2)]), keep = T.Of((flags & ChunkTable.Decayed) != 0 ? decay : 1f);
            T size = T.Of(-rates.Size), root = T.Of(rates.RootCorrection), epsilon = T.Of(1e-8f);
            T beta1 = T.Of((float)Beta1), rest1 = T.Of((float)(1 - Beta1)), beta2 = T.Of((float)Beta2), rest2 = T.Of((float)(1 - Beta2));
            int step = lanes.Count * T.Width;
            for (int i = begin + lanes.Id * T.Width; i < end; i += step)
            {
                T p = parameter.Load(i, end), g = gradient.Load(i, end) * factor;
                T m = T.Fma(rest1, g, beta1 * mean.Load(i, end));
                T v = T.Fma(rest2 * g, g, beta2 * variance.Load(i, end));
                mean.Store(i, end, m);
                variance.Store(i, end, v);
                parameter.Store(i, end, T.Fma(size, m / (T.Sqrt(v) / root + epsilon), p * keep));
            }
        }
    }
}
