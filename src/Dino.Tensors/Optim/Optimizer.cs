using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// Changes the parameters of a module tree by their gradients, in a number of launches that does not depend on how many there are.
/// Frozen parameters stay as they are.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private readonly GradientClip clip;

    private protected Optimizer(FlatParameters target)
    {
        if (!target.IsTrainable)
            throw new ArgumentException("These parameters have no gradients; make them trainable.", nameof(target));
        Target = target;
        Table = new ChunkTable(target);
        clip = new GradientClip(Table);
    }

    /// <summary>The parameters that are trained, without frozen ones, in the order of <see cref="Norms"/>: P of them.</summary>
    public IReadOnlyList<Parameter> Parameters => Table.Parameters;

    /// <summary>The L2 norm of each parameter's gradient in the last step, before clipping: (P). Reading it waits for the device.</summary>
    public Tensor Norms => clip.Norms;

    /// <summary>What is trained.</summary>
    protected FlatParameters Target { get; }

    private protected ChunkTable Table { get; }

    private protected Tensor Gradients => Target.Gradients!;

    /// <summary>What to multiply each parameter's gradient by in this step: (P).</summary>
    private protected Tensor Factors => clip.Factors;

    /// <summary>One step along the gradients that were gathered.</summary>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="weightDecay">The decay of this step, for parameters that are <see cref="Parameter.Decayed"/>.</param>
    /// <param name="clip">The L2 norm that each parameter's gradient is shortened to by itself; 0 leaves them.</param>
    /// <param name="cancelLastLayer">Whether the prototypes (names with <c>last_layer</c>) keep weights and state in this step.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, or the clip negative.</exception>
    /// <exception cref="ObjectDisposedException">The optimizer, its parameters or the device have been disposed.</exception>
    public void Step(double learningRate, double weightDecay, double clip, bool cancelLastLayer)
    {
        ThrowIfNotFinite(learningRate, nameof(learningRate));
        ThrowIfNotFinite(weightDecay, nameof(weightDecay));
        ThrowIfNotFinite(clip, nameof(clip));
        ArgumentOutOfRangeException.ThrowIfNegative(clip);
        Factors.ThrowIfEnded();
        Target.Values.ThrowIfEnded();
        Target.Flat.NoteWrite();
        this.clip.Run(Gradients, (float)clip);
        Update(learningRate, weightDecay, cancelLastLayer);
    }

    /// <summary>The state in the host's memory, for a checkpoint; waits for the device.</summary>
    public abstract IReadOnlyList<HostTensor> Save();

    /// <summary>Goes on from a state that <see cref="Save()"/> gave.</summary>
    /// <exception cref="InvalidDataException">It is the state of other parameters or another optimizer; what is wrong is named.</exception>
    public abstract void Load(IEnumerable<HostTensor> state);

    /// <summary>Gives the memory of the state back. A second time it does nothing.</summary>
    public void Dispose()
    {
        DisposeState();
        clip.Dispose();
        Table.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected abstract void Update(double learningRate, double weightDecay, bool cancelLastLayer);

    private protected abstract void DisposeState();

    /// <summary>A tensor of the state in the layout of the parameters, all 0.</summary>
    private protected Tensor NewState() => FlatParameters.Zeros(Target.Device, Target.ParameterLength);

    /// <summary>The parts of a state tensor, named by the parameter and what they are.</summary>
    private protected HostTensor[] Save(Tensor state, string kind) => FlatParameters.Split(state, Named(kind));

    /// <summary>Takes the parts of one kind out of <paramref name="given"/>.</summary>
    private protected void Load(Tensor state, string kind, List<HostTensor> given)
    {
        var own = given.FindAll(tensor => tensor.Name.StartsWith(kind + ".", StringComparison.Ordinal));
        FlatParameters.Join(state, Named(kind), own);
        given.RemoveAll(own.Contains);
    }

    private static void ThrowIfNotFinite(double value, string name)
    {
        if (!double.IsFinite(value))
            throw new ArgumentOutOfRangeException(name, value, "An optimizer's step needs finite numbers.");
    }

    private protected static void ThrowIfAny(List<HostTensor> left)
    {
        if (left.Count > 0)
            throw new InvalidDataException(
                $"This is the state of another optimizer; it has {string.Join(", ", left.Select(tensor => tensor.Name))}.");
    }

    private FlatSegment[] Named(string kind)
    {
        var named = new FlatSegment[Target.Parameters.Count];
        for (int i = 0; i < named.Length; i++)
            named[i] = Target.Segments[i] with { Name = $"{kind}.{Target.Segments[i].Name}" };
        return named;
    }
}
