using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// Changes the parameters of a module tree by their gradients, in a number of launches that does not depend on how many there are.
/// Frozen parameters stay as they are.
/// </summary>
/// <remarks>
/// One of your own derives from this class: the constructor makes its state by <see cref="NewState"/>, and <see cref="Update"/> launches a
/// row body over the <see cref="ChunkTable.ChunkCount"/> rows of <see cref="Table"/>, which reads its chunk by
/// <see cref="ParameterChunk.Read{T, TMemory}"/>, passes over held ones, multiplies gradients by their parameter's <see cref="Factors"/>,
/// and moves <see cref="FlatParameters.Values"/>. Saving, loading and ending the state are done here; <see cref="Sgd"/> is a short example.
/// </remarks>
public abstract class Optimizer : IDisposable
{
    /// <summary>The most groups of an optimizer that may be <see cref="ParameterGroup.Holdable"/>.</summary>
    public const int MaxHoldable = 3;

    private readonly GradientClip clip;
    private readonly List<(string Kind, Tensor Values)> states = [];
    private readonly List<Tensor> scratch = [];

    /// <summary>For parameters that have gradients.</summary>
    /// <param name="target">What is trained.</param>
    /// <param name="groups">Parameters to be treated apart from the others; all of no group are one by themselves.</param>
    /// <exception cref="ArgumentException">
    /// The target is not trainable, or a parameter of a group is not of the target or in two groups, or too many groups are holdable.
    /// </exception>
    protected Optimizer(FlatParameters target, IReadOnlyList<ParameterGroup>? groups = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (!target.IsTrainable)
            throw new ArgumentException("These parameters have no gradients; make them trainable.", nameof(target));
        Target = target;
        Table = new ChunkTable(target, groups);
        clip = new GradientClip(Table);
    }

    /// <summary>The parameters that are trained, without frozen ones, in the order of <see cref="Norms"/>: P of them.</summary>
    public IReadOnlyList<Parameter> Parameters => Table.Parameters;

    /// <summary>The groups: those that were given, and before them the one of all parameters of no group, if there are any.</summary>
    public IReadOnlyList<ParameterGroup> Groups => Table.Groups;

    /// <summary>The L2 norm of each parameter's gradient in the last step, before clipping: (P). Reading it waits for the device.</summary>
    public Tensor Norms => clip.Norms;

    /// <summary>What is trained.</summary>
    protected FlatParameters Target { get; }

    /// <summary>The rows of work of a launch over all parameters.</summary>
    protected ChunkTable Table { get; }

    /// <summary>The gradients of this step, in the layout of <see cref="FlatParameters.Values"/>, before clipping.</summary>
    protected Tensor Gradients => Target.CompleteGradients();

    /// <summary>What to multiply each parameter's gradient by in this step, because of clipping: (P).</summary>
    protected Tensor Factors => clip.Factors;

    /// <summary>One step along the gradients that were gathered.</summary>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="weightDecay">The decay of this step, for the parameters that it acts on.</param>
    /// <param name="clip">The L2 norm that each parameter's gradient is shortened to by itself; 0 leaves them.</param>
    /// <param name="held">Groups that keep weights and state in this step, as if it were not.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, or the clip negative.</exception>
    /// <exception cref="ArgumentException">A group is not the optimizer's, or not <see cref="ParameterGroup.Holdable"/>.</exception>
    /// <exception cref="ObjectDisposedException">The optimizer, its parameters or the device have been disposed.</exception>
    public void Step(double learningRate, double weightDecay = 0, double clip = 0, params ReadOnlySpan<ParameterGroup> held)
    {
        ThrowIfNotFinite(learningRate, nameof(learningRate));
        ThrowIfNotFinite(weightDecay, nameof(weightDecay));
        ThrowIfNotFinite(clip, nameof(clip));
        ArgumentOutOfRangeException.ThrowIfNegative(clip);
        int bits = Table.Bits(held);
        Factors.ThrowIfEnded();
        Target.Values.ThrowIfEnded();
        Target.Flat.NoteWrite();
        this.clip.Run(Gradients, (float)clip);
        Update(new StepRates(learningRate, weightDecay, bits));
    }

    /// <summary>The state in the host's memory, for a checkpoint; waits for the device.</summary>
    public virtual IReadOnlyList<HostTensor> Save() =>
        [.. states.SelectMany(state => FlatParameters.Split(state.Values, Named(state.Kind)))];

    /// <summary>Goes on from a state that <see cref="Save"/> gave.</summary>
    /// <exception cref="InvalidDataException">
    /// It is the state of other parameters or another optimizer; what is wrong is named, and nothing was changed.
    /// </exception>
    public virtual void Load(IEnumerable<HostTensor> state)
    {
        List<HostTensor> given = [.. state];
        var loaded = new List<float[]>();
        foreach (var (kind, values) in states)
        {
            var own = given.FindAll(tensor => tensor.Name.StartsWith(kind + ".", StringComparison.Ordinal));
            loaded.Add(FlatParameters.Join(values.Count, Named(kind), own));
            given.RemoveAll(own.Contains);
        }
        if (given.Count > 0)
            throw new InvalidDataException(
                $"This is the state of another optimizer; it has {string.Join(", ", given.Select(tensor => tensor.Name))}.");
        foreach (var ((_, values), numbers) in states.Zip(loaded))
            values.CopyFrom(numbers);
    }

    /// <summary>Gives the memory of the state back. A second time it does nothing.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Changes parameters and state: what the optimizer is. Gradients are measured and their factors known.</summary>
    /// <param name="rates">The numbers of the step.</param>
    protected abstract void Update(in StepRates rates);

    /// <summary>
    /// A tensor of the state in the layout of <see cref="FlatParameters.Values"/>, all 0, that is saved, loaded and ended with the
    /// optimizer.
    /// </summary>
    /// <param name="kind">What it is; its parts are saved under <c>kind.parameter</c>.</param>
    protected Tensor NewState(string kind)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        if (states.Exists(state => state.Kind == kind))
            throw new ArgumentException($"The optimizer has a state '{kind}' already.", nameof(kind));
        var values = FlatParameters.Zeros(Target.Device, Target.ParameterLength);
        states.Add((kind, values));
        return values;
    }

    /// <summary>A tensor for numbers within a step, which is not saved and ends with the optimizer; it holds anything at first.</summary>
    protected Tensor NewScratch(Shape shape)
    {
        var values = Target.Device.RentUnowned(shape);
        scratch.Add(values);
        return values;
    }

    /// <summary>Ends what the optimizer holds.</summary>
    /// <param name="disposing">Always true: there is no finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        foreach (var (_, values) in states)
            values.Dispose();
        foreach (var values in scratch)
            values.Dispose();
        clip.Dispose();
        Table.Dispose();
    }

    private protected static float Fraction(double value, string name) => value is >= 0 and < 1
        ? (float)value
        : throw new ArgumentOutOfRangeException(name, value, "It lies in [0, 1).");

    private protected static float Positive(double value, string name) => value > 0 && double.IsFinite(value)
        ? (float)value
        : throw new ArgumentOutOfRangeException(name, value, "It is above 0, and finite.");

    private static void ThrowIfNotFinite(double value, string name)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(name, value, "An optimizer's step needs finite numbers.");
    }

    private FlatSegment[] Named(string kind)
    {
        var named = new FlatSegment[Target.Parameters.Count];
        for (int i = 0; i < named.Length; i++)
            named[i] = Target.Segments[i] with { Name = $"{kind}.{Target.Segments[i].Name}" };
        return named;
    }
}
