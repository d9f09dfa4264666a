using System.Text;
using Dino.Tensors.Memory;
using Dino.Tensors.Random;

namespace Dino.Tensors.Nn;

/// <summary>
/// The memory of a module tree: one flat buffer with every parameter and then every buffer of the tree, one more of the same layout for
/// the gradients. What acts on all parameters (optimizer, EMA, clipping, checkpoint) is then a constant number of launches.
/// </summary>
/// <remarks>
/// Every tensor starts at a multiple of 16 floats; the gaps stay 0. The layout follows from names and shapes alone, so student and
/// teacher agree whatever is frozen in either. <see cref="Module.On"/> makes one with first values.
/// </remarks>
public sealed class FlatParameters : IDisposable
{
    /// <summary>Tensors start at a multiple of this many floats: a cache line, and the widest vector.</summary>
    public const int Alignment = 16;

    // "init": keeps these random streams apart from all others of the seed.
    private const uint InitStream = 0x696e6974;

    private readonly Parameter[] parameters;
    private readonly ModuleBuffer[] buffers;
    private readonly FlatSegment[] segments;
    private readonly Tensor? gradients;
    private readonly Roots? roots;
    private bool disposed;

    /// <summary>Gives several trees one memory: that of a tree whose parts they are.</summary>
    /// <param name="device">Where the memory is.</param>
    /// <param name="trainable">Whether there are gradients, for all parameters that are not <see cref="Parameter.Frozen"/>.</param>
    /// <param name="roots">
    /// Whole trees and the names that come before those of their tensors, as in <c>backbone.norm.weight</c>. They are parts of one tree
    /// until <see cref="Dispose"/>.
    /// </param>
    /// <exception cref="ArgumentException">A root is part of another module, a tree has memory already, or two have one name.</exception>
    public FlatParameters(Device device, bool trainable, params ReadOnlySpan<(string Name, Module Module)> roots)
        : this(new Roots(roots), device, trainable) { }

    /// <summary>Gives every tensor of the tree its place in memory of the device, all 0.</summary>
    /// <param name="root">A whole tree: its root belongs to no other module.</param>
    /// <param name="device">Where the memory is.</param>
    /// <param name="trainable">Whether there are gradients, for all parameters that are not <see cref="Parameter.Frozen"/>.</param>
    /// <exception cref="ArgumentException">
    /// The root is part of another module, the tree has memory already, or two of its tensors one name.
    /// </exception>
    public FlatParameters(Module root, Device device, bool trainable)
    {
        roots = root as Roots;
        try
        {
            device.ThrowIfDisposed();
            device.Claim.Check();
            if (root.Parent is not null)
                throw new ArgumentException($"'{root.Prefix.TrimEnd('.')}' is part of another module; give the root of the tree.",
                    nameof(root));
            Device = device;
            parameters = [.. root.Parameters];
            buffers = [.. root.Buffers];
            segments = new FlatSegment[parameters.Length + buffers.Length];
            int at = 0;
            var names = new HashSet<string>();
            for (int i = 0; i < segments.Length; i++)
            {
                var tensor = TensorAt(i);
                if (!names.Add(tensor.Name))
                    throw new ArgumentException($"Two tensors of the tree are called '{tensor.Name}'.", nameof(root));
                if (tensor.IsPlaced)
                    throw new ArgumentException($"'{tensor.Name}' has memory already.", nameof(root));
                segments[i] = new FlatSegment(tensor.Name, tensor.Shape, at);
                long end = at + (tensor.Shape.Count + Alignment - 1L) / Alignment * Alignment;
                if (end > BufferPool.MaxElements)
                    throw new TensorSizeException($"The tensors up to '{tensor.Name}' have more than the {BufferPool.MaxElements} "
                        + $"elements that are possible together.");
                at = (int)end;
                if (i < parameters.Length)
                    ParameterLength = at;
            }
            Flat = Zeros(device, at);
            Values = Flat.PermanentAlias(new Shape(ParameterLength), 0, isPart: false);
            gradients = trainable ? Zeros(device, ParameterLength) : null;
            for (int i = 0; i < segments.Length; i++)
            {
                var view = Flat.PermanentAlias(segments[i].Shape, segments[i].Start);
                if (gradients is not null && i < parameters.Length && !parameters[i].Frozen)
                {
                    view.RequiresGrad = true;
                    view.Grad = gradients.PermanentAlias(segments[i].Shape, segments[i].Start);
                }
                TensorAt(i).Place(view);
            }
        }
        catch
        {
            roots?.LetGo();
            throw;
        }
    }

    /// <summary>Where the memory is.</summary>
    public Device Device { get; }

    /// <summary>The parameters in the order of their memory.</summary>
    public IReadOnlyList<Parameter> Parameters => parameters;

    /// <summary>The buffers in the order of their memory, which follows that of the parameters.</summary>
    public IReadOnlyList<ModuleBuffer> Buffers => buffers;

    /// <summary>Name, shape and place of every parameter, then of every buffer.</summary>
    public IReadOnlyList<FlatSegment> Segments => segments;

    /// <summary>The number of trainable and frozen scalars, without buffers.</summary>
    public long Count => parameters.Sum(parameter => (long)parameter.Shape.Count);

    /// <summary>All parameters with the gaps between them: (<see cref="ParameterLength"/>).</summary>
    public Tensor Values { get; }


    /// <summary>Whether there are gradients.</summary>
    public bool IsTrainable => gradients is not null;

    /// <summary>The floats from the first parameter to the end of the last, gaps included.</summary>
    public int ParameterLength { get; }

    /// <summary>The parameters and after them the buffers: all that a checkpoint has to keep.</summary>
    internal Tensor Flat { get; }

    /// <summary>
    /// Sets every parameter and buffer to its <see cref="Init"/>: a function of the seed and the parameter's index alone.
    /// </summary>
    public void Initialize(ulong seed)
    {
        Flat.ThrowIfEnded();
        Flat.NoteWrite();
        if (Device.IsHost)
            Parallel.For(0, segments.Length, i => Fill(i, seed, ValuesOnHost(i)));
        else
            for (int i = 0; i < segments.Length; i++)
            {
                float[] values = new float[segments[i].Shape.Count];
                Fill(i, seed, values);
                TensorAt(i).Value.CopyFrom(values);
            }
    }

    private void ThrowIfDisposed()
    {
        if (disposed)
            throw new ObjectDisposedException(
                nameof(FlatParameters), "These parameters have been disposed; make others of the module tree.");
    }

    private unsafe Span<float> ValuesOnHost(int i) => new(Flat.Pointer + segments[i].Start, segments[i].Shape.Count);

    private void Fill(int i, ulong seed, Span<float> values) =>
        TensorAt(i).Init.Fill(values, new PhiloxStream(seed, (uint)i, 0, InitStream));

    /// <summary>Sets all gradients to 0. The zeros are written only where no backward pass overwrites them before somebody looks.</summary>
    public void ZeroGrad()
    {
        ThrowIfDisposed();
        foreach (var parameter in parameters)
            parameter.Value.ZeroGrad();
    }

    /// <summary>
    /// All gradients in the layout of <see cref="Values"/>, added to by every backward pass. It writes the zeros that
    /// <see cref="ZeroGrad"/> owes where no pass has come since.
    /// </summary>
    /// <exception cref="InvalidOperationException">Nothing is trainable.</exception>
    public Tensor CompleteGradients()
    {
        ThrowIfDisposed();
        if (gradients is null)
            throw new InvalidOperationException("These parameters have no gradients; make them trainable.");
        foreach (var parameter in parameters)
            _ = parameter.Value.Grad;
        return gradients;
    }

    /// <summary>Takes over all parameters and buffers from another tree, by their names; the other may have more.</summary>
    /// <exception cref="ArgumentException">The other lacks one, or has it in another shape, or is on another device.</exception>
    public void CopyFrom(FlatParameters other)
    {
        Operands.Check(Flat, other.Flat, op: nameof(FlatParameters));
        if (segments.AsSpan().SequenceEqual(other.segments))
        {
            Flat.CopyFrom(other.Flat);
            return;
        }
        var sources = other.Find(this, segments.Length);
        for (int i = 0; i < segments.Length; i++)
            TensorAt(i).Value.CopyFrom(other.Flat.Alias(sources[i].Shape, sources[i].Start));
    }

    /// <summary>Copies of all parameters and buffers in the host's memory; waits for the device.</summary>
    public IReadOnlyList<HostTensor> Save() => Split(Flat, segments);

    /// <summary>Sets every parameter and buffer.</summary>
    /// <exception cref="InvalidDataException">
    /// Some are missing, unexpected or have another shape; all are named, and nothing was changed.
    /// </exception>
    public void Load(IEnumerable<HostTensor> tensors) => Flat.CopyFrom(Join(Flat.Count, segments, tensors));

    /// <summary>Gives the memory back; the module tree can be placed again. A second time it does nothing.</summary>
    public void Dispose()
    {
        if (disposed)
            return;
        Device.Claim.Check();
        disposed = true;
        for (int i = 0; i < segments.Length; i++)
        {
            TensorAt(i).Value.Dispose();
            TensorAt(i).Place(null);
        }
        gradients?.Dispose();
        Values.Dispose();
        Flat.Dispose();
        roots?.LetGo();
    }

    /// <summary>A buffer of no arena, all 0, gaps included.</summary>
    internal static Tensor Zeros(Device device, int length)
    {
        var flat = device.RentUnowned(new Shape(length));
        flat.Fill(0);
        return flat;
    }

    /// <summary>The parts of a buffer of this layout.</summary>
    internal static HostTensor[] Split(Tensor flat, ReadOnlySpan<FlatSegment> segments)
    {
        float[] values = flat.ToArray();
        var parts = new HostTensor[segments.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            var (name, shape, start) = segments[i];
            parts[i] = new HostTensor(name, shape, values.AsSpan(start, shape.Count).ToArray());
        }
        return parts;
    }

    /// <summary>The reverse of <see cref="Split"/>, strict about names and shapes: the numbers of a buffer of this length.</summary>
    internal static float[] Join(int length, ReadOnlySpan<FlatSegment> segments, IEnumerable<HostTensor> tensors)
    {
        var given = new Dictionary<string, HostTensor>();
        var wrong = new StringBuilder();
        foreach (var tensor in tensors)
            if (!given.TryAdd(tensor.Name, tensor))
                wrong.Append($"\n  twice: {tensor.Name}");
        float[] values = new float[length];
        foreach (var (name, shape, start) in segments)
        {
            if (!given.Remove(name, out var tensor))
                wrong.Append($"\n  missing: {name} {shape}");
            else if (tensor.Shape != shape || tensor.Values.Length != shape.Count)
                wrong.Append($"\n  another shape: {name} is {tensor.Shape} with {tensor.Values.Length} values, the model's {shape}");
            else
                tensor.Values.CopyTo(values, start);
        }
        foreach (var tensor in given.Values)
            wrong.Append($"\n  unexpected: {tensor.Name} {tensor.Shape}");
        if (wrong.Length > 0)
            throw new InvalidDataException($"These weights are not of this model:{wrong}");
        return values;
    }

    /// <summary>The places here of the first <paramref name="count"/> tensors of another tree, by their names.</summary>
    /// <exception cref="ArgumentException">One is not here, or has another shape.</exception>
    internal FlatSegment[] Find(FlatParameters other, int count)
    {
        var own = segments.ToDictionary(segment => segment.Name);
        var found = new FlatSegment[count];
        for (int i = 0; i < count; i++)
        {
            var wanted = other.segments[i];
            if (!own.TryGetValue(wanted.Name, out found[i]))
                throw new ArgumentException($"The module trees differ: {wanted} of the one has no counterpart in the other.");
            if (found[i].Shape != wanted.Shape)
                throw new ArgumentException($"The module trees differ: {wanted} of the one is {found[i].Shape} in the other.");
        }
        return found;
    }

    private ModuleTensor TensorAt(int i) => i < parameters.Length ? parameters[i] : buffers[i - parameters.Length];

    /// <summary>A tree of trees.</summary>
    private sealed class Roots : Module
    {
        public Roots(ReadOnlySpan<(string Name, Module Module)> roots)
        {
            try
            {
                foreach (var (name, module) in roots)
                    Register(name, module);
            }
            catch
            {
                LetGo();
                throw;
            }
        }

        /// <summary>Makes the trees whole ones again.</summary>
        public void LetGo() => Release();
    }
}

/// <summary>A tensor's place in a flat buffer.</summary>
/// <param name="Name">The full dotted name.</param>
/// <param name="Shape">The sizes.</param>
/// <param name="Start">The index of its first element.</param>
public readonly record struct FlatSegment(string Name, Shape Shape, int Start)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Shape}";
}
