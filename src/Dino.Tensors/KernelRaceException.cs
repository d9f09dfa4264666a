namespace Dino.Tensors;

/// <summary>
/// Two simulated GPU threads (<c>cpu:debug</c>) used one place of shared memory with no barrier in between: a kernel lacks one.
/// </summary>
public sealed class KernelRaceException : Exception
{
    /// <summary>An exception without a message.</summary>
    public KernelRaceException() { }

    /// <summary>An exception with a message.</summary>
    public KernelRaceException(string message) : base(message) { }

    /// <summary>An exception with a message and what led to it.</summary>
    public KernelRaceException(string message, Exception inner) : base(message, inner) { }

    internal KernelRaceException(string kernel, int index, int group, int thread, bool writes, int? other, bool otherWrote)
        : base($"Kernel {kernel} lacks a barrier: thread {thread} of group {group} {(writes ? "writes" : "reads")} element {index} of "
            + $"shared memory that "
            + $"{(other is { } one ? $"thread {one}" : "several threads")} {(otherWrote ? "wrote" : "read")} since the last one.") =>
        (Kernel, Index) = (kernel, index);

    /// <summary>The kernel's name.</summary>
    public string? Kernel { get; }

    /// <summary>The element of shared memory.</summary>
    public int Index { get; }
}
