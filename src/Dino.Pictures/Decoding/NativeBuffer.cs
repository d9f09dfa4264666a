using System.Runtime.InteropServices;

namespace Dino.Pictures.Decoding;

/// <summary>Memory that a codec may keep an address of; it grows and is used again.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private byte* memory;
    private nuint size;

    ~NativeBuffer() => Free();

    public nint Address => (nint)memory;

    public long Size => (long)size;

    public ref byte Reference => ref *memory;

    /// <summary>The first bytes.</summary>
    public Span<byte> Span(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((nuint)bytes, size, nameof(bytes));
        return new Span<byte>(memory, bytes);
    }

    /// <summary>Takes so many bytes; what was in them is not defined afterwards.</summary>
    /// <exception cref="OutOfMemoryException">There is not so much.</exception>
    public void Reserve(nuint bytes)
    {
        if (bytes <= size)
            return;
        Free();
        memory = (byte*)NativeMemory.Alloc(bytes);
        size = bytes;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(memory);
        memory = null;
        size = 0;
    }
}
