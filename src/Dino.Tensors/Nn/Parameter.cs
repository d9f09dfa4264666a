namespace Dino.Tensors.Nn;

/// <summary>A named tensor of a <see cref="Module"/>: a <see cref="Parameter"/> or a <see cref="ModuleBuffer"/>.</summary>
public abstract class ModuleTensor
{
    private readonly Module owner;
    private readonly string localName;
    private Tensor? value;

    private protected ModuleTensor(Module owner, string localName, Shape shape, Init init) =>
        (this.owner, this.localName, Shape, Init) = (owner, localName, shape, init);

    /// <summary>The full dotted name from the root of the module tree, as in <c>blocks.0.attn.qkv.weight</c>.</summary>
    public string Name => owner.Prefix + localName;

    /// <summary>The sizes.</summary>
    public Shape Shape { get; }

    /// <summary>What it holds before training.</summary>
    public Init Init { get; }

    /// <summary>The numbers: a lasting view into the flat buffer of <see cref="FlatParameters"/>.</summary>
    /// <exception cref="InvalidOperationException">The module tree has no memory yet (<see cref="Module.On"/>).</exception>
    public Tensor Value => value
        ?? throw new InvalidOperationException(
            $"'{Name}' has no memory yet; give its module tree some: using var parameters = model.On(device, seed).");

    internal bool IsPlaced => value is not null;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Shape}";

    internal void Place(Tensor? view) => value = view;
}

/// <summary>A tensor that training changes.</summary>
public sealed class Parameter : ModuleTensor
{
    internal Parameter(Module owner, string localName, Shape shape, Init init, bool frozen) : base(owner, localName, shape, init) =>
        Frozen = frozen;

    /// <summary>Whether it gets no gradient at all and stays as it is.</summary>
    public bool Frozen { get; }

    /// <summary>
    /// Whether weight decay acts on it: on everything but vectors and biases (class token and position embedding included).
    /// </summary>
    public bool Decayed => Shape.Rank != 1 && !Name.EndsWith(".bias", StringComparison.Ordinal);
}

/// <summary>A tensor that belongs to the model's state but is not trained or averaged: running statistics.</summary>
public sealed class ModuleBuffer : ModuleTensor
{
    internal ModuleBuffer(Module owner, string localName, Shape shape, Init init) : base(owner, localName, shape, init) { }
}
