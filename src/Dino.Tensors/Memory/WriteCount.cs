namespace Dino.Tensors.Memory;

/// <summary>
/// When memory was overwritten last, so that a backward pass can tell whether what it saved is still what the forward pass saw. Times are
/// numbers of writes. Tensors that share memory share this too; a lasting part of a flat buffer has its own beside that of the whole.
/// </summary>
internal sealed class WriteCount(WriteCount? whole = null)
{
    private static long writes;

    private long own;

    /// <summary>The time of the last write anywhere: no later one can be confused with it.</summary>
    public static long Now => Volatile.Read(ref writes);

    /// <summary>The time of the last write; grows whenever the numbers are overwritten.</summary>
    public long Value => whole is null ? own : Math.Max(own, whole.own);

    public void Add() => own = Interlocked.Increment(ref writes);
}
