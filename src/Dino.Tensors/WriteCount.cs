namespace Dino.Tensors;

/// <summary>
/// Counts how often memory was overwritten, so that a backward pass can tell whether what it saved is still what the forward pass saw.
/// Tensors that share memory share a count; a lasting part of a flat buffer has its own beside that of the whole.
/// </summary>
internal sealed class WriteCount(WriteCount? whole = null)
{
    private int own;

    /// <summary>Changes whenever the numbers were overwritten.</summary>
    public int Value => own + (whole?.own ?? 0);

    public void Add() => own++;
}
