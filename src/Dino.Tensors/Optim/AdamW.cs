using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019):
/// p ← (1 − λη) p; m ← β₁m + (1 − β₁) g; v ← β₂v + (1 − β₂) g²; p ← p − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
/// </summary>
/// <remarks>
/// t counts the steps that a parameter took part in: once for each <see cref="ParameterGroup.Holdable"/> group, and once for all other
/// parameters, which take part in every step.
/// </remarks>
public sealed class AdamW : Optimizer
{
    private const string Steps = "steps", Mean = "mean", Variance = "variance";

    private static readonly string[] numbers = ["one whole number", "two whole numbers", "three whole numbers", "four whole numbers"];

    private readonly Tensor mean, variance;
    private readonly double beta1, beta2;
    private readonly float epsilon;
    private readonly int[] steps; // of each slot

    /// <summary>Starts with moments of 0.</summary>
    /// <param name="target">What is trained.</param>
    /// <param name="groups">Parameters to be treated apart.</param>
    /// <param name="beta1">β₁, in [0, 1).</param>
    /// <param name="beta2">β₂, in [0, 1).</param>
    /// <param name="epsilon">ε, above 0.</param>
    /// <inheritdoc cref="Optimizer(FlatParameters, IReadOnlyList{ParameterGroup})" path="/exception"/>
    public AdamW(
        FlatParameters target, IReadOnlyList<ParameterGroup>? groups = null, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8)
        : base(target, groups)
    {
        _ = Fraction(beta1, nameof(beta1));
        _ = Fraction(beta2, nameof(beta2));
        (this.beta1, this.beta2, this.epsilon) = (beta1, beta2, Positive(epsilon, nameof(epsilon)));
        (mean, variance) = (NewState(Mean), NewState(Variance));
        steps = new int[Table.Slots];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HostTensor> Save() =>
        [new HostTensor(Steps, new Shape(steps.Length), [.. steps.Select(count => (float)count)]), .. base.Save()];

    /// <inheritdoc/>
    public override void Load(IEnumerable<HostTensor> state)
    {
        List<HostTensor> given = [.. state];
        var counts = given.Find(tensor => tensor.Name == Steps);
        if (counts is null || counts.Values.Length != steps.Length
            || counts.Values.Any(count => !(count >= 0 && count < int.MaxValue && MathF.Truncate(count) == count)))
            throw new InvalidDataException($"AdamW's state needs '{Steps}', {numbers[steps.Length - 1]} of steps.");
        given.Remove(counts);
        bool IsWrong(HostTensor tensor) =>
            tensor.Name.StartsWith(Variance + ".", StringComparison.Ordinal) && tensor.Values.Any(value => value < 0);
        if (given.Find(IsWrong) is { } wrong)
            throw new InvalidDataException($"AdamW's state has a negative number in '{wrong.Name}', which holds means of squares.");
        base.Load(given);
        for (int slot = 0; slot < steps.Length; slot++)
            steps[slot] = (int)counts.Values[slot];
    }

    /// <inheritdoc/>
    protected override void Update(in StepRates rates)
    {
        for (int slot = 0; slot < steps.Length; slot++)
            if ((rates.Held >> slot & 1) == 0)
                steps[slot]++;
        var settings = new Settings(
            (float)(1 - rates.LearningRate * rates.WeightDecay), (float)beta1, (float)(1 - beta1), (float)beta2, (float)(1 - beta2),
            epsilon, rates.Held);
        double rate = rates.LearningRate;
        var corrections = new Corrections(Of(0, rate), Of(1, rate), Of(2, rate), Of(3, rate));
        Target.Device.Launch(new Launch(Table, settings, corrections, Factors, Gradients, Target.Values, mean, variance));
    }

    private Correction Of(int slot, double rate) => slot < steps.Length && steps[slot] > 0
        ? new((float)(rate / (1 - Math.Pow(beta1, steps[slot]))), (float)Math.Sqrt(1 - Math.Pow(beta2, steps[slot])))
        : default;

    private readonly struct Launch(
        ChunkTable table, Settings settings, Corrections corrections, Tensor factors, Tensor gradients, Tensor parameters, Tensor means,
        Tensor variances) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Rows(table.ChunkCount, ChunkTable.ChunkLength, new Body<T, TMemory>(
            settings, corrections, TMemory.Of(table.Chunks), TMemory.Of(factors), TMemory.Of(gradients), TMemory.Of(parameters),
            TMemory.Of(means), TMemory.Of(variances)));
    }

    internal readonly struct Settings(float keep, float beta1, float rest1, float beta2, float rest2, float epsilon, int held)
    {
        public readonly float Keep = keep, Beta1 = beta1, Rest1 = rest1, Beta2 = beta2, Rest2 = rest2, Epsilon = epsilon;
        public readonly int Held = held;
    }

    /// <summary>What depends on the count of steps: η/(1 − β₁ᵗ) and √(1 − β₂ᵗ).</summary>
    internal readonly struct Correction(float size, float root)
    {
        public readonly float Size = size, Root = root;
    }

    /// <summary>Those of each slot.</summary>
    internal readonly struct Corrections(Correction first, Correction second, Correction third, Correction fourth)
    {
        private readonly Correction first = first, second = second, third = third, fourth = fourth;

        public Correction Of(int slot) => slot == 0 ? first : slot == 1 ? second : slot == 2 ? third : fourth;
    }

    internal readonly struct Body<T, TMemory>(
        Settings settings, Corrections corrections, TMemory chunks, TMemory factors,
        TMemory gradients, TMemory parameters, TMemory means, TMemory variances) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Settings settings = settings;
        private readonly Corrections corrections = corrections;
        private readonly TMemory chunks = chunks, factors = factors;
        private readonly TMemory gradients = gradients, parameters = parameters, means = means, variances = variances;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory gradient = gradients, parameter = parameters, mean = means, variance = variances;
            var chunk = ParameterChunk.Read<T, TMemory>(chunks, row);
            if (chunk.IsHeld(settings.Held))
                return;
            Correction correction = corrections.Of(chunk.Slot);
            float share = chunk.Rate * chunk.Decay; // of λη; at 1 and 0 the product is rounded once
            T keep = T.Of(share == 1 ? settings.Keep : 1 + share * (settings.Keep - 1)), factor = T.Of(factors[chunk.Parameter]);
            T size = T.Of(-correction.Size * chunk.Rate), root = T.Of(correction.Root), epsilon = T.Of(settings.Epsilon);
            T beta1 = T.Of(settings.Beta1), rest1 = T.Of(settings.Rest1), beta2 = T.Of(settings.Beta2), rest2 = T.Of(settings.Rest2);
            int end = chunk.End, step = lanes.Count * T.Width;
            for (int i = chunk.Begin + lanes.Id * T.Width; i < end; i += step)
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
