using System.Diagnostics.CodeAnalysis;

namespace Dino.Tensors;

/// <summary>
/// Records the ops that lead to a loss, and plays them backward: reverse-mode differentiation.
/// </summary>
/// <remarks>
/// While a tape is recording on a device, every op with an input that <see cref="Tensor.RequiresGrad"/> leaves a node holding the tensors
/// its backward pass needs, and nothing else. <see cref="Backward(Tensor, float)"/> lets go of them one by one. Nodes are reused by the next recording.
/// </remarks>
public sealed class Tape : IDisposable
{
    private readonly Device device;
    private readonly List<Node> nodes = [];
    private readonly Dictionary<Type, Stack<Node>> spare = [];
    private Tape? inner;

    /// <summary>A tape for the ops of one device; records between <see cref="Record"/> and <see cref="Backward(Tensor, float)"/>.</summary>
    public Tape(Device device) => this.device = device;

    /// <summary>Starts recording on the device.</summary>
    /// <exception cref="InvalidOperationException">Another tape is recording there.</exception>
    public void Record()
    {
        if (device.Tape is not null)
            throw new InvalidOperationException($"A tape is recording on {device.Name} already.");
        Clear();
        device.Tape = this;
    }

    /// <summary>Ends the recording and sends the gradient <paramref name="weight"/> back from a loss of one element.</summary>
    public void Backward(Tensor loss, float weight = 1)
    {
        if (loss.Count != 1)
            throw new ArgumentException($"A loss is one number, not {loss.Shape}; give the gradient that arrives at it.", nameof(loss));
        using var arena = device.BeginArena();
        var arriving = device.Rent(loss.Shape);
        arriving.Fill(weight);
        Backward(loss, arriving);
    }

    /// <summary>Ends the recording and sends a gradient back from <paramref name="output"/>, of the same shape.</summary>
    public void Backward(Tensor output, Tensor gradient)
    {
        output.ThrowIfShapeDiffers(gradient);
        Stop();
        if (output.Producer is null)
            throw new InvalidOperationException($"{output} was not made by recorded ops from tensors that require gradients.");
        AddGradient(output, gradient);
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            var node = nodes[i];
            if (node.Output.Grad is { } arriving)
            {
                using (device.BeginArena())
                    node.Backward(arriving);
                node.Output.Grad = null;
                arriving.Drop(value: true);
            }
            Return(node);
        }
        nodes.Clear();
    }

    /// <summary>Ends a recording that is not wanted, and lets go of everything it holds.</summary>
    public void Dispose()
    {
        Stop();
        Clear();
        inner?.Dispose();
    }

    /// <summary>A tape for what is recorded again during the backward pass of this one.</summary>
    internal Tape Inner => inner ??= new Tape(device);

    /// <summary>Leaves out what follows, until <see cref="Resume"/>.</summary>
    internal void Pause() => Stop();

    /// <summary>Goes on with the recording.</summary>
    internal void Resume() => device.Tape = this;

    /// <summary>The recording tape if any of the inputs requires a gradient, otherwise null: the op leaves no node.</summary>
    internal static Tape? For(Tensor a, Tensor? b = null, Tensor? c = null) =>
        a.RequiresGrad || b is { RequiresGrad: true } || c is { RequiresGrad: true } ? a.Device.Tape : null;

    /// <summary>Adds the node of an op that made <paramref name="output"/>.</summary>
    internal TNode Add<TNode>(Tensor output) where TNode : Node, new()
    {
        var node = spare.TryGetValue(typeof(TNode), out var stack) && stack.Count > 0 ? (TNode)stack.Pop() : new TNode();
        node.Begin(output);
        output.RequiresGrad = true;
        output.Producer = node;
        nodes.Add(node);
        return node;
    }

    /// <summary>
    /// Where a node writes its contribution to the gradient of <paramref name="input"/>: null if none is wanted. With
    /// <paramref name="accumulate"/> it must add to what is there, otherwise overwrite it.
    /// </summary>
    internal static Tensor? GradientOf(Tensor? input, out int accumulate)
    {
        accumulate = 0;
        if (input is not { RequiresGrad: true })
            return null;
        if (input.TakeStaleGrad() is { } stale)
            return stale;
        if (input.Grad is not { } existing)
            return input.Grad = input.Device.RentUnowned(input.Shape);
        accumulate = 1;
        if (input.Producer is not null && existing.IsShared)
        {
            var own = input.Device.RentUnowned(input.Shape);
            own.CopyFrom(existing);
            existing.Drop(value: true);
            return input.Grad = own;
        }
        return existing;
    }

    /// <summary>Contributes a whole tensor to the gradient of <paramref name="input"/>: taken over without a copy where it is the first.</summary>
    internal static void AddGradient(Tensor? input, Tensor gradient)
    {
        if (input is not { RequiresGrad: true })
            return;
        if (input.Grad is null && input.Producer is not null)
        {
            input.Grad = Device.AdoptUnowned(gradient, input.Shape);
            return;
        }
        var target = GradientOf(input, out int accumulate)!;
        if (accumulate == 0)
            target.CopyFrom(gradient.Shape == target.Shape ? gradient : gradient.Alias(target.Shape));
        else
            Ops.AddInPlace.Run(target, gradient);
    }

    private void Stop()
    {
        if (device.Tape == this)
            device.Tape = null;
    }

    private void Clear()
    {
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            if (nodes[i].Output.Grad is { } grad)
            {
                nodes[i].Output.Grad = null;
                grad.Drop(value: true);
            }
            Return(nodes[i]);
        }
        nodes.Clear();
    }

    private void Return(Node node)
    {
        node.End();
        if (!spare.TryGetValue(node.GetType(), out var stack))
            spare.Add(node.GetType(), stack = new Stack<Node>());
        stack.Push(node);
    }
}

/// <summary>One recorded op: the tensors that its backward pass needs, and that pass.</summary>
internal abstract class Node
{
    private readonly List<(Tensor Tensor, bool Value)> held = [];

    /// <summary>What the op made. Its numbers are there in the backward pass only if they were saved.</summary>
    public Tensor Output { get; private set; } = null!;

    /// <summary>Contributes to the gradients of the inputs, given that of the output.</summary>
    public abstract void Backward(Tensor dy);

    /// <summary>Whether making the output again costs so little that it is not worth keeping (<see cref="SaveOrRemake"/>).</summary>
    public virtual bool IsCheap => false;

    /// <summary>Makes the output again, the same to the last bit; only where it <see cref="IsCheap"/>.</summary>
    public virtual void Remake(Tensor target) => throw new NotSupportedException($"{GetType()} does not make its output again.");

    public void Begin(Tensor output) => Output = Track(output);

    public void End()
    {
        foreach (var (tensor, value) in held)
            tensor.Drop(value);
        held.Clear();
        Output = null!;
    }

    /// <summary>Keeps an input for its gradient's sake; its numbers may go.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    public Tensor? Track(Tensor? tensor) => Hold(tensor, value: false);

    /// <summary>Keeps a tensor and its numbers until the backward pass.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    public Tensor? Save(Tensor? tensor) => Hold(tensor, value: true);

    /// <summary>Keeps an input until the backward pass, where <see cref="Numbers"/> gives it: itself, or the way to make it again.</summary>
    public Tensor SaveOrRemake(Tensor tensor) => tensor.Producer is { IsCheap: true } ? Track(tensor) : Save(tensor);

    /// <summary>The tensor, or one made again, of the arena of this node's backward pass.</summary>
    public static Tensor Numbers(Tensor tensor)
    {
        if (tensor.HasNumbers)
            return tensor;
        var remade = tensor.Device.Rent(tensor.Shape);
        tensor.Producer!.Remake(remade);
        return remade;
    }

    [return: NotNullIfNotNull(nameof(tensor))]
    private Tensor? Hold(Tensor? tensor, bool value)
    {
        if (tensor is null)
            return null;
        tensor.Hold(value);
        held.Add((tensor, value));
        return tensor;
    }
}
