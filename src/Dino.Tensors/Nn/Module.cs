namespace Dino.Tensors.Nn;

/// <summary>
/// A part of a model: named parameters, named buffers and named smaller modules. Names are those of the official checkpoints and may
/// hold dots themselves (<c>mlp.0</c>).
/// </summary>
/// <remarks>
/// A module has no memory of its own; one line gives it to a whole tree: <c>using var parameters = model.On(device, seed: 0);</c>
/// </remarks>
public abstract class Module
{
    private readonly List<Parameter> parameters = [];
    private readonly List<ModuleBuffer> buffers = [];
    private readonly List<Module> children = [];
    private readonly HashSet<string> names = [];
    private string nameInParent = "";

    /// <summary>All parameters of the tree: this module's own first, then its parts', each in the order of registration.</summary>
    public IEnumerable<Parameter> Parameters => parameters.Concat(children.SelectMany(child => child.Parameters));

    /// <summary>All buffers of the tree, in the order of <see cref="Parameters"/>.</summary>
    public IEnumerable<ModuleBuffer> Buffers => buffers.Concat(children.SelectMany(child => child.Buffers));

    /// <summary>Gives all tensors of the tree memory on a device, and first values.</summary>
    /// <param name="device">Where the memory is.</param>
    /// <param name="seed">What the first values follow from, with each tensor's <see cref="Init"/>.</param>
    /// <param name="trainable">Whether there are gradients, for all parameters that are not <see cref="Parameter.Frozen"/>.</param>
    /// <returns>The memory: the module can be used until this is disposed. Optimizers and checkpoints take it.</returns>
    /// <exception cref="ArgumentException">The module is part of another one, or has memory already.</exception>
    public FlatParameters On(Device device, ulong seed = 0, bool trainable = true)
    {
        var memory = new FlatParameters(this, device, trainable);
        memory.Initialize(seed);
        return memory;
    }

    internal Module? Parent { get; private set; }

    internal string Prefix => Parent is null ? "" : $"{Parent.Prefix}{nameInParent}.";

    /// <summary>Adds a parameter; a <paramref name="frozen"/> one gets no gradient.</summary>
    /// <exception cref="ArgumentException">The module has something of this name.</exception>
    protected Parameter Register(string name, Shape shape, Init init, bool frozen = false)
    {
        Claim(name);
        var parameter = new Parameter(this, name, shape, init, frozen);
        parameters.Add(parameter);
        return parameter;
    }

    /// <summary>Adds a part.</summary>
    /// <returns>The part.</returns>
    /// <exception cref="ArgumentException">
    /// The module has something of this name, or the part belongs to a module already, or this module to the part.
    /// </exception>
    protected TModule Register<TModule>(string name, TModule child) where TModule : Module
    {
        if (child.Parent is not null)
            throw new ArgumentException($"The module '{child.Prefix.TrimEnd('.')}' cannot become '{name}' of another one too.",
                nameof(child));
        for (Module? above = this; above is not null; above = above.Parent)
            if (ReferenceEquals(above, child))
                throw new ArgumentException($"{GetType().Name} cannot have '{name}' as a part: it is a part of that itself.",
                    nameof(child));
        Claim(name);
        (child.Parent, child.nameInParent) = (this, name);
        children.Add(child);
        return child;
    }

    /// <summary>Adds a tensor that is saved with the model but not trained.</summary>
    /// <exception cref="ArgumentException">The module has something of this name.</exception>
    protected ModuleBuffer RegisterBuffer(string name, Shape shape, Init init)
    {
        Claim(name);
        var buffer = new ModuleBuffer(this, name, shape, init);
        buffers.Add(buffer);
        return buffer;
    }

    /// <summary>Makes the parts whole trees again.</summary>
    private protected void Release()
    {
        foreach (var child in children)
            (child.Parent, child.nameInParent) = (null, "");
        children.Clear();
        names.Clear();
    }

    private void Claim(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!names.Add(name))
            throw new ArgumentException($"{GetType().Name} has '{name}' already.", nameof(name));
    }
}
