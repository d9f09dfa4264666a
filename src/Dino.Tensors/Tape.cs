using Dino.Tensors.Kernels.Copies;

namespace Dino.Tensors;

/// <summary>
/// Records the ops that lead to a loss, and plays them backward: reverse-mode differentiation.
/// </summary>
/// <remarks>
/// While a tape is recording on a device, every op with an input that <see cref="Tensor.RequiresGrad"/> leaves a node holding the tensors
/// its backward pass needs, and nothing else. <see cref="Backward(Tensor, float)"/> lets go of them one by one. Nodes are reused by the
/// next recording.
/// <para>
/// A recording is played back once, by its own tape, and is over then, also if the backward pass throws: everything it held is let go,
/// and the tape can record again (gradients of parameters may then be there in part: set them to 0). A backward pass throws where it would
/// need what was overwritten since, or would send a gradient into a recording that is over. A recording left open holds its tensors until
/// <see cref="Dispose"/>, which a tape survives; a <see cref="DeviceOptions.Strict"/> device warns of it.
/// </para>
/// </remarks>
public sealed class Tape : IDisposable
{
    private readonly Device device;
    private readonly List<Node> nodes = [];
    private readonly Dictionary<Type, Stack<Node>> spare = [];
    private Tape? inner;
    private bool isRecording; // paused or not

    /// <summary>A tape for the ops of one device; records between <see cref="Record"/> and <see cref="Backward(Tensor, float)"/>.</summary>
    public Tape(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        this.device = device;
    }

    /// <summary>Starts recording on the device.</summary>
    /// <exception cref="InvalidOperationException">
    /// A tape, this one or another, is recording there, or another thread uses the device.
    /// </exception>
    public void Record()
    {
        device.ThrowIfDisposed();
        if (device.Tape is not null || isRecording)
            throw new InvalidOperationException(
                $"A tape is recording on {device.Name} already. A recording ends by Backward, or by Dispose where it is not wanted.");
        device.Claim.Enter(); // until Stop
        (device.Tape, isRecording, BegunIn) = (this, true, device.CurrentArena);
    }

    /// <summary>Ends the recording and sends the gradient <paramref name="weight"/> back from a loss of one element.</summary>
    /// <inheritdoc cref="Backward(Tensor, Tensor)"/>
    public void Backward(Tensor loss, float weight = 1)
    {
        if (loss is null)
            throw End(new ArgumentNullException(nameof(loss)));
        if (loss.Count != 1)
            throw End(new ArgumentException($"A loss is one number, not {loss.Shape}; give the gradient that arrives at it.",
                nameof(loss)));
        ThrowIfNotRecording();
        using var arena = device.BeginScope();
        var arriving = device.Rent(loss.Shape);
        arriving.Fill(weight);
        Backward(loss, arriving);
    }

    /// <summary>Ends the recording and sends a gradient back from <paramref name="output"/>, of the same shape.</summary>
    /// <exception cref="InvalidOperationException">
    /// The tape is not recording; the output is not of its recording; or, on the way, a tensor that a backward pass needs was overwritten,
    /// or
    /// a gradient would go into a recording that has ended.
    /// </exception>
    /// <exception cref="ArgumentException">Shapes or devices differ.</exception>
    public void Backward(Tensor output, Tensor gradient)
    {
        ThrowIfNotRecording();
        device.Claim.Enter();
        try
        {
            Stop(); // what backward passes compute is not recorded
            ArgumentNullException.ThrowIfNull(output);
            ArgumentNullException.ThrowIfNull(gradient);
            gradient.ThrowIfNot(DType.Float32);
            output.ThrowIfShapeDiffers(gradient);
            gradient.ThrowIfEnded();
            if (output.Producer?.Tape != this)
                throw new InvalidOperationException(output.IsOfEndedRecording || output.Producer is not null
                    ? $"{output.Summary} was made in another recording than the one that is played back."
                    : $"{output.Summary} was not made by recorded ops from tensors that require gradients.");
            AddGradient(output, gradient);
            while (nodes.Count > 0)
            {
                var node = nodes[^1];
                if (node.Output.Grad is { } arriving)
                {
                    node.ThrowIfOverwritten();
                    using (device.BeginScope())
                        node.Backward(arriving);
                    node.Output.Grad = null;
                    arriving.End();
                }
                nodes.RemoveAt(nodes.Count - 1);
                Return(node);
            }
        }
        finally
        {
            Clear();
            device.Claim.Leave();
        }
    }

    /// <summary>
    /// Ends a recording that is not wanted, and lets go of everything it holds. The tape can record again; where it does not, this does
    /// nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another thread uses the device.</exception>
    public void Dispose()
    {
        device.Claim.Check();
        Stop();
        Clear();
        inner?.Dispose();
    }

    /// <summary>The innermost arena that was open when the recording began.</summary>
    internal Arena? BegunIn { get; private set; }

    /// <summary>A tape for what is recorded again during the backward pass of this one.</summary>
    internal Tape Inner => inner ??= new Tape(device);

    /// <summary>Of a tape on which a part is recorded once more: when it ran first, and the arena of what it makes itself.</summary>
    internal (long Time, Arena Arena)? Again { get; set; }

    /// <summary>Leaves out what follows, until <see cref="Resume"/>.</summary>
    internal void Pause() => device.Tape = null;

    /// <summary>Goes on with the recording, unless it was ended meanwhile.</summary>
    internal void Resume()
    {
        if (isRecording)
            device.Tape = this;
    }

    /// <summary>The recording tape if any of the inputs requires a gradient, otherwise null: the op leaves no node.</summary>
    public static Tape? For(Tensor a, Tensor? b = null, Tensor? c = null) =>
        a.RequiresGrad || b is { RequiresGrad: true } || c is { RequiresGrad: true } ? a.Device.Tape : null;

    /// <inheritdoc cref="Node.ThrowIfOverwrittenSince"/>
    internal void ThrowIfOverwrittenSince(long time, Arena arena)
    {
        foreach (var node in nodes)
            node.ThrowIfOverwrittenSince(time, arena);
    }

    /// <summary>Adds the node of an op that made <paramref name="output"/>.</summary>
    public TNode Add<TNode>(Tensor output) where TNode : Node, new()
    {
        var node = spare.TryGetValue(typeof(TNode), out var stack) && stack.Count > 0 ? (TNode)stack.Pop() : new TNode();
        node.Begin(this, output);
        nodes.Add(node);
        return node;
    }

    /// <summary>
    /// Where a node writes its contribution to the gradient of <paramref name="input"/>: null if none is wanted. With
    /// <paramref name="accumulate"/> it must add to what is there, otherwise overwrite it.
    /// </summary>
    public static Tensor? GradientOf(Tensor? input, out int accumulate)
    {
        accumulate = 0;
        if (input is not { RequiresGrad: true })
            return null;
        ThrowIfEnded(input);
        if (input.TakeStaleGrad() is { } stale)
            return stale;
        if (input.Grad is not { } existing)
            return input.Grad = input.Device.RentUnowned(input.Shape, reusable: input.IsReusable);
        accumulate = 1;
        if (input.Producer is not null && existing.IsShared)
        {
            var own = input.Device.RentUnowned(input.Shape, reusable: input.IsReusable);
            own.CopyFrom(existing);
            existing.End();
            return input.Grad = own;
        }
        existing.NoteWrite();
        return existing;
    }

    /// <summary>
    /// Contributes a whole tensor to the gradient of <paramref name="input"/>: taken over without a copy where it is the first.
    /// </summary>
    public static void AddGradient(Tensor? input, Tensor gradient)
    {
        if (input is not { RequiresGrad: true })
            return;
        ThrowIfEnded(input);
        if (input.Grad is null && input.Producer is not null)
        {
            input.Grad = Device.AdoptUnowned(gradient, input.Shape);
            return;
        }
        var target = GradientOf(input, out int accumulate)!;
        if (accumulate == 0)
            target.CopyFrom(gradient.Shape == target.Shape ? gradient : gradient.Alias(target.Shape));
        else
            AddInPlace.Run(target, gradient);
    }

    private static void ThrowIfEnded(Tensor input)
    {
        if (input.IsOfEndedRecording)
            throw new InvalidOperationException(
                $"{input.Summary} was made in an earlier recording, which is over: no gradient can pass through it. To use its numbers "
                    + $"alone, "
                + $"set its {nameof(Tensor.RequiresGrad)} to false before.");
    }

    private void ThrowIfNotRecording()
    {
        if (!isRecording || device.Tape != this)
            throw new InvalidOperationException(
                $"This tape is not recording on {device.Name}: Record comes first, then the ops, then Backward, once.");
        device.Claim.Check();
    }

    /// <summary>Ends the recording because of a mistake in how it is to be played back.</summary>
    private Exception End(Exception mistake)
    {
        Dispose();
        return mistake;
    }

    private void Stop()
    {
        if (!isRecording)
            return;
        isRecording = false;
        BegunIn = null;
        if (device.Tape == this)
            device.Tape = null;
        device.Claim.Leave();
    }

    private void Clear()
    {
        inner?.Dispose();
        for (int i = nodes.Count - 1; i >= 0; i--)
        {
            if (nodes[i].Output.Grad is { } grad)
            {
                nodes[i].Output.Grad = null;
                grad.End();
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
