using System.Diagnostics.CodeAnalysis;
using Dino.Tensors.Memory;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors;

/// <content>How long a tensor lives, who holds it, and where its numbers are.</content>
public sealed partial class Tensor
{
    private Storage? storage;
    private WriteCount writes = null!;
    private int offset;
    private int shellHolders, valueHolders;
    private bool isHeld; // by its arena or its maker, besides nodes
    private bool awaitsArena; // its object is used again, but not before the arena ends that it ended in
    private Tensor? grad;
    private bool gradIsStale, requiresGrad;

    /// <summary>The node that made this tensor while the tape recorded; null again once the recording has ended.</summary>
    internal Node? Producer { get; private set; }

    /// <summary>Whether a recording that has ended made it: no gradient finds its way through it any more.</summary>
    internal bool IsOfEndedRecording { get; private set; }

    internal Arena? Owner { get; set; }

    /// <summary>Whether the object is used again after its end, since its arena's maker promised that nobody holds on to it.</summary>
    internal bool IsReusable { get; private set; }

    /// <summary>Whether it was made while no arena was open.</summary>
    internal bool IsLoose { get; set; }

    /// <summary>Changes whenever the numbers are overwritten other than by the op that made them.</summary>
    internal long Version => writes.Value;

    /// <summary>Whether the numbers are still there; a node that only tracks the tensor may outlive them.</summary>
    internal bool HasNumbers => storage is not null;

    /// <summary>Whether another holder shares the memory, so that it must not be written in place.</summary>
    internal bool IsShared => Live().References > 1 || valueHolders > 1;

    internal ArrayView<float> View =>
        ((storage?.Buffer) ?? MissingBuffer()).View.BaseView.Cast<float>().SubView(offset, Count);

    /// <summary>Whether the first element lies on 16 bytes.</summary>
    internal bool IsAligned => (long)offset * DType.ItemSize % 16 == 0;

    internal unsafe float* Pointer
    {
        get
        {
            float* start = storage is null ? null : (float*)storage.Pointer;
            if (start is null)
                ThrowIfNoMemory("the host");
            return start + offset;
        }
    }

    /// <summary>
    /// A view that no arena owns: part of a flat buffer that outlives every step. If it <paramref name="isPart"/>, it is overwritten on its
    /// own,
    /// or with the whole; otherwise writing to it counts as writing to all.
    /// </summary>
    internal Tensor PermanentAlias(Shape shape, int start, bool isPart = true)
    {
        var alias = Alias(shape, start, isPart ? new WriteCount(writes) : writes);
        alias.Owner?.Disown(alias);
        alias.MakeReusable(false);
        alias.EndLoose();
        return alias;
    }

    /// <summary>Makes the gradient 0, but writes no zeros yet: the next backward pass overwrites what is there.</summary>
    internal void ZeroGrad() => gradIsStale = grad is not null;

    /// <summary>The gradient if it counts as 0 and holds something else: whoever takes it must overwrite it.</summary>
    internal Tensor? TakeStaleGrad()
    {
        if (!gradIsStale)
            return null;
        gradIsStale = false;
        return grad;
    }

    internal void Begin(Storage memory, WriteCount count, int start, Shape shape, DType type)
    {
        (storage, writes, offset, Shape, DType) = (memory, count, start, shape, type);
        (shellHolders, valueHolders, isHeld) = (1, 1, true);
        (requiresGrad, IsOfEndedRecording, IsLoose) = (false, false, false);
    }

    /// <summary>Makes this the result of a recorded op.</summary>
    internal void Record(Node node)
    {
        if (Producer is not null)
            throw new InvalidOperationException($"{Summary} is the result of a recorded op already.");
        (Producer, requiresGrad, IsOfEndedRecording) = (node, true, false);
    }

    /// <summary>The recording is over: the node serves another one.</summary>
    internal void EndRecording() => (Producer, IsOfEndedRecording) = (null, true);

    /// <summary>Sets whether the object is used again after its end, and that of its gradient.</summary>
    internal void MakeReusable(bool value)
    {
        IsReusable = value;
        grad?.MakeReusable(value);
    }

    /// <summary>The arena lets go of the tensor, at its own end.</summary>
    internal void EndWithArena()
    {
        End();
        if (!awaitsArena)
            return;
        awaitsArena = false;
        if (shellHolders == 0)
            Device.Recycle(this);
    }

    /// <summary>
    /// A caller lets go of the tensor while its arena is open. Where objects are used again, the arena still lists this one, so that until
    /// then it is seen to have ended.
    /// </summary>
    private void EndBeforeArena()
    {
        if (Owner is not null && IsReusable)
            (awaitsArena, Owner) = (true, null);
        else
            Owner?.Disown(this);
        End();
    }

    /// <summary>Whoever made the tensor lets go of it.</summary>
    internal void End()
    {
        if (!isHeld)
            return;
        isHeld = false;
        EndLoose();
        Drop(value: true);
    }

    /// <summary>One more holder of the tensor; of its numbers too, or of its identity alone.</summary>
    internal void Hold(bool value)
    {
        if (value)
        {
            ThrowIfEnded();
            valueHolders++;
        }
        shellHolders++;
    }

    /// <summary>One holder fewer: memory goes with the last holder of the numbers, the object with the last of any kind.</summary>
    internal void Drop(bool value)
    {
        if (value && --valueHolders == 0)
        {
            storage!.Release();
            storage = null;
        }
        if (--shellHolders > 0)
            return;
        if (grad is not null && Producer is null)
            grad.End();
        (Grad, Producer, Owner) = (null, null, null);
        if (!awaitsArena)
            Device.Recycle(this);
    }

    /// <summary>Whether it was there before an arena that is open, and is still.</summary>
    internal bool IsOlderThan(Arena arena) => isHeld && (Owner is null || Owner.Depth < arena.Depth);

    /// <summary>
    /// Says that the numbers are being overwritten, so that a backward pass that saved them does not take the new ones: the first thing
    /// that an
    /// op does to a tensor that it changes in place.
    /// </summary>
    public void NoteWrite() => writes.Add();

    /// <summary>Sets every element to these bits.</summary>
    internal unsafe void FillBits(float value)
    {
        if (Count == 0)
            return;
        if (Device.Accelerator is null)
            new Span<int>(Pointer, Count).Fill(BitConverter.SingleToInt32Bits(value));
        else if (BitConverter.SingleToInt32Bits(value) == 0 && offset == 0) // OpenCL refuses to clear a part that begins elsewhere
            View.MemSetToZero(Device.Stream);
        else
            Device.FillOnAccelerator(this, value);
    }

    internal void ThrowIfEnded()
    {
        if (storage is not { IsFreed: false })
            ThrowEnded();
    }

    internal void ThrowIfNot(DType type)
    {
        if (DType != type)
            throw new ArgumentException($"{Summary} holds {DType}, not {type}.");
    }

    internal void ThrowIfShapeDiffers(Tensor other)
    {
        if (other.Device != Device)
            throw new ArgumentException($"{Summary} and {other.Summary} are on different devices.");
        if (other.Shape != Shape)
            throw new ArgumentException($"Shapes differ: {Shape} and {other.Shape}.");
    }

    private Tensor Alias(Shape shape, int start, WriteCount count)
    {
        Device.Claim.Enter();
        try
        {
            var memory = Live();
            memory.Retain();
            return Device.Adopt(memory, count, offset + start, shape, DType);
        }
        finally
        {
            Device.Claim.Leave();
        }
    }

    private void EndLoose()
    {
        if (!IsLoose)
            return;
        IsLoose = false;
        Device.EndLoose();
    }

    private Storage Live()
    {
        ThrowIfEnded();
        return storage!;
    }

    private MemoryBuffer1D<byte, Stride1D.Dense> MissingBuffer()
    {
        ThrowIfNoMemory("an accelerator");
        return null!;
    }

    /// <summary>The numbers are not where a kernel looks for them: they have ended, or lie on another kind of device.</summary>
    [DoesNotReturn]
    private void ThrowIfNoMemory(string place)
    {
        ThrowIfEnded();
        throw new InvalidOperationException($"{Summary} has no memory on {place}.");
    }

    [DoesNotReturn]
    private void ThrowEnded()
    {
        Device.ThrowIfDisposed();
        throw new ObjectDisposedException(nameof(Tensor),
            $"A tensor of {Shape} has ended with its arena, or with the backward pass that used it last. Keep it by name if it must live "
                + $"longer.");
    }
}
