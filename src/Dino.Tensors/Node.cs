using System.Diagnostics.CodeAnalysis;

namespace Dino.Tensors;

/// <summary>One recorded op: the tensors that its backward pass needs, and that pass.</summary>
/// <remarks>
/// An op's node is a class with a constructor without parameters and a method that takes the tensors:
/// <c>Tape.For(x)?.Add&lt;MyNode&gt;(y).Of(x)</c>.
/// Nodes are used again by later recordings, so that method sets every field.
/// </remarks>
/// <example><code>
/// private sealed class BackwardNode : Node
/// {
///     private Tensor x = null!;
///
///     public void Of(Tensor input) => x = Save(input);
///
/// public override void Backward(Tensor dy) => dy.Device.Launch(new BackwardLaunch(x, dy, Tape.GradientOf(x, out int accumulate)!,
/// accumulate));
/// }
/// </code></example>
public abstract class Node
{
    private readonly List<Held> held = [];

    /// <summary>Whose recording it is part of.</summary>
    internal Tape Tape { get; private set; } = null!;

    /// <summary>What the op made. Its numbers are there in the backward pass only if they were saved.</summary>
    internal Tensor Output { get; private set; } = null!;

    /// <summary>The version of the output's numbers that the op made.</summary>
    internal long OutputVersion { get; private set; }

    /// <summary>
    /// Contributes to the gradients of the inputs (<see cref="Tape.GradientOf"/>, <see cref="Tape.AddGradient"/>), given that of the
    /// output.
    /// Nothing is recorded, and what it makes ends with it.
    /// </summary>
    public abstract void Backward(Tensor dy);

    /// <summary>Whether making the output again costs so little that it is not worth keeping (<see cref="SaveOrRemake"/>).</summary>
    public virtual bool IsCheap => false;

    /// <summary>Makes the output again, the same to the last bit; only where it <see cref="IsCheap"/>.</summary>
    public virtual void Remake(Tensor target) => throw new NotSupportedException($"{GetType()} does not make its output again.");

    internal void Begin(Tape tape, Tensor output)
    {
        output.Record(this);
        (Tape, OutputVersion) = (tape, output.Version);
        Output = Track(output);
    }

    internal void End()
    {
        Output.EndRecording();
        foreach (var (tensor, value, _, _) in held)
            tensor.Drop(value);
        held.Clear();
        (Tape, Output) = (null!, null!);
    }

    /// <summary>Demands that what the backward pass reads is what the forward pass saw.</summary>
    internal void ThrowIfOverwritten()
    {
        foreach (var (tensor, _, isRead, version) in held)
        {
            if (isRead && tensor.HasNumbers && tensor.Version != version)
                throw new InvalidOperationException(
                    $"{tensor.Summary} was overwritten after an op had recorded it, and the backward pass needs what it held then. "
                        + $"Overwrite it after Backward, "
                    + "or give the op a copy.");
        }
    }

    /// <summary>
    /// For an op that is computed again in <paramref name="arena"/>: demands that what it takes from outside was not overwritten since it
    /// was
    /// computed first.
    /// </summary>
    internal void ThrowIfOverwrittenSince(long time, Arena arena)
    {
        foreach (var (tensor, _, _, version) in held)
        {
            if (version > time && tensor.IsOlderThan(arena))
                throw new InvalidOperationException(
                    $"{tensor.Summary} was overwritten after a recomputed part had used it, and the backward pass needs what it held "
                        + $"then. Overwrite it after "
                    + "Backward, or give the part a copy.");
        }
    }

    /// <summary>Keeps an input for its gradient's sake; its numbers may go.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    protected Tensor? Track(Tensor? tensor) => Hold(tensor, value: false, isRead: false);

    /// <summary>Keeps a tensor and its numbers until the backward pass.</summary>
    [return: NotNullIfNotNull(nameof(tensor))]
    protected Tensor? Save(Tensor? tensor) => Hold(tensor, value: true, isRead: true);

    /// <summary>
    /// Keeps an input until the backward pass, where <see cref="Numbers"/> gives it: itself, or the way to make it again.
    /// </summary>
    protected Tensor SaveOrRemake(Tensor tensor) =>
        tensor.Producer is { IsCheap: true } ? Hold(tensor, value: false, isRead: true) : Save(tensor);

    /// <summary>The tensor, or one made again, of the arena of this node's backward pass.</summary>
    public static Tensor Numbers(Tensor tensor)
    {
        if (tensor.HasNumbers)
            return tensor;
        if (tensor.Producer is not { IsCheap: true } producer)
            throw new InvalidOperationException($"{tensor.Summary} has ended, and the op that made it is no longer recorded.");
        producer.ThrowIfOverwritten();
        var remade = tensor.Device.Rent(tensor.Shape);
        producer.Remake(remade);
        return remade;
    }

    [return: NotNullIfNotNull(nameof(tensor))]
    private Tensor? Hold(Tensor? tensor, bool value, bool isRead)
    {
        if (tensor is null)
            return null;
        if (tensor.Producer is { } producer && tensor.Version != producer.OutputVersion)
            throw new InvalidOperationException(
                $"{tensor.Summary} was overwritten after the op that made it: the gradient would go back to inputs that it no longer "
                    + $"depends on.");
        tensor.Hold(value);
        held.Add(new(tensor, value, isRead, tensor.Version));
        return tensor;
    }

    /// <summary>
    /// A tensor that a node holds, with its numbers or without; whether it reads them, and their version when it was recorded.
    /// </summary>
    private readonly record struct Held(Tensor Tensor, bool Value, bool IsRead, long Version);
}
