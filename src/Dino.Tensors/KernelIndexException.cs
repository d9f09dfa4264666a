namespace Dino.Tensors;

/// <summary>A kernel on simulated GPU threads (<c>cpu:debug</c>) reached outside a tensor. Its results are not to be used; the device is.</summary>
public sealed class KernelIndexException : Exception
{
    /// <summary>An exception without a message.</summary>
    public KernelIndexException() { }

    /// <summary>An exception with a message.</summary>
    public KernelIndexException(string message) : base(message) { }

    /// <summary>An exception with a message and what led to it.</summary>
    public KernelIndexException(string message, Exception inner) : base(message, inner) { }

    internal KernelIndexException(string kernel, int index, int length, int group, int thread)
        : base($"Kernel {kernel} reached for element {index} of a tensor of {length}, first on thread {thread} of group {group}.") =>
        (Kernel, Index, Length) = (kernel, index, length);

    /// <summary>The kernel's name.</summary>
    public string? Kernel { get; }

    /// <summary>The index that it used.</summary>
    public int Index { get; }

    /// <summary>The number of elements that there are.</summary>
    public int Length { get; }
}
