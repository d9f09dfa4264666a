namespace Dino.Tensors;

/// <summary>
/// A scope of temporary tensors: <c>using var step = device.BeginArena();</c> — everything made inside goes back to the device's pool at
/// the brace, except what a <see cref="Tape"/> still needs for its backward pass and what <see cref="Keep"/> named.
/// </summary>
public sealed class Arena : IDisposable
{
    private readonly List<Tensor> tensors = [];
    private readonly Device device;

    internal Arena(Device device) => this.device = device;

    internal Arena? Parent { get; set; }

    /// <summary>Hands a tensor of this arena to the enclosing one; without an enclosing one it lives until <see cref="Tensor.Dispose"/>.</summary>
    /// <returns>The same tensor.</returns>
    public Tensor Keep(Tensor tensor)
    {
        if (tensor.Owner != this)
            return tensor; // made outside, so it outlives this arena anyway
        Disown(tensor);
        Parent?.Own(tensor);
        return tensor;
    }

    /// <summary>Ends every tensor of the arena.</summary>
    public void Dispose()
    {
        device.EndArena(this);
        foreach (var tensor in tensors)
        {
            tensor.Owner = null;
            tensor.Drop(value: true);
        }
        tensors.Clear();
    }

    internal void Own(Tensor tensor)
    {
        tensor.Owner = this;
        tensors.Add(tensor);
    }

    internal Tensor Disown(Tensor tensor)
    {
        // What is kept was mostly made last.
        int last = tensors.Count - 1, i = last;
        while (tensors[i] != tensor)
            i--;
        tensors[i] = tensors[last];
        tensors.RemoveAt(last);
        tensor.Owner = null;
        return tensor;
    }
}
