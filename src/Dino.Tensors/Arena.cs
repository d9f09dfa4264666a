namespace Dino.Tensors;

/// <summary>
/// A scope of temporary tensors: <c>using var step = device.BeginArena();</c> — everything made inside goes back to the device's pool at
/// the brace, except what a <see cref="Tape"/> still needs for its backward pass and what <see cref="Keep"/> named.
/// </summary>
/// <remarks>
/// Arenas end in the opposite order of their beginning, on the thread that began them. One that is never ended holds its tensors as long as
/// the device lives; a <see cref="DeviceOptions.Strict"/> device warns of it.
/// </remarks>
public sealed class Arena : IDisposable
{
    private readonly Device device;
    private readonly List<Tensor> tensors = [];
    private bool isOpen;

    internal Arena(Device device) => this.device = device;

    internal Arena? Parent { get; private set; }

    /// <summary>How many arenas enclose it.</summary>
    internal int Depth { get; private set; }

    /// <summary>Whether the objects of its tensors are used again after its end, and those of arenas inside it.</summary>
    internal bool ReusesTensors { get; private set; }

    /// <summary>Whether it is a scope within an op: the arena's own object, which no caller sees, is used again.</summary>
    internal bool IsScope { get; private set; }

    /// <summary>
    /// Hands a tensor of this arena, or of one inside it, to the enclosing one; without an enclosing one it lives until
    /// <see cref="Tensor.Dispose"/>.
    /// </summary>
    /// <returns>The same tensor.</returns>
    public Tensor Keep(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Owner is not { } owner || owner.device != device || owner.Depth < Depth)
            return tensor; // made outside, so it outlives this arena anyway
        device.Claim.Check();
        owner.Disown(tensor); // this arena, or one inside it
        tensor.MakeReusable(Parent is { ReusesTensors: true });
        Parent?.Own(tensor);
        return tensor;
    }

    /// <summary>Ends every tensor of the arena. A second time it does nothing.</summary>
    /// <exception cref="InvalidOperationException">An arena that began later is still open, or another thread began this one.</exception>
    public void Dispose()
    {
        if (!isOpen)
            return;
        device.EndArena(this);
        isOpen = false;
        foreach (var tensor in tensors)
        {
            tensor.Owner = null;
            tensor.EndWithArena();
        }
        tensors.Clear();
        device.Release(this);
    }

    internal void Begin(Arena? parent, bool reuse, bool isScope)
    {
        (Parent, Depth, ReusesTensors, IsScope) = (parent, parent is null ? 0 : parent.Depth + 1, reuse, isScope);
        isOpen = true;
    }

    internal void Own(Tensor tensor)
    {
        tensor.Owner = this;
        tensors.Add(tensor);
    }

    internal Tensor Disown(Tensor tensor)
    {
        // From the end: what is kept, or ended early, was mostly made last.
        int last = tensors.Count - 1, i = last;
        while (tensors[i] != tensor)
            i--;
        tensors[i] = tensors[last];
        tensors.RemoveAt(last);
        tensor.Owner = null;
        return tensor;
    }
}
