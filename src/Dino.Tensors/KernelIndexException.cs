namespace Dino.Tensors;

/// <summary>
/// A kernel on simulated GPU threads (<c>cpu:debug</c>) reached outside a tensor. Its results are not to be used; the device is.
/// </summary>
public sealed class KernelIndexException : Exception
{
    /// <summary>An exception without a message.</summary>
    public KernelIndexException() { }

    /// <summary>An exception with a message.</summary>
    public KernelIndexException(string message) : base(message) { }

    /// <summary>An exception with a message and what led to it.</summary>
    public KernelIndexException(string message, Exception inner) : base(message, inner) { }

    private KernelIndexException(string kernel, int index, int length, string message) : base(message) =>
        (Kernel, Index, Length) = (kernel, index, length);

    /// <summary>The kernel's name.</summary>
    public string? Kernel { get; }

    /// <summary>The index that it used.</summary>
    public int Index { get; }

    /// <summary>The number of elements that there are.</summary>
    public int Length { get; }

    internal static KernelIndexException OfTensor(string kernel, int index, int length, int group, int thread) => Of(
        kernel, index, length, $"a tensor of {length}", group, thread);

    internal static KernelIndexException OfSharedMemory(string kernel, int index, int length, int group, int thread) => Of(
        kernel, index, length, $"shared memory of {length}", group, thread);

    private static KernelIndexException Of(string kernel, int index, int length, string what, int group, int thread) => new(
        kernel, index, length, $"Kernel {kernel} reached for element {index} of {what}, first on thread {thread} of group {group}.");
}
