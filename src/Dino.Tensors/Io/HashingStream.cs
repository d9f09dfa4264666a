using System.IO.Hashing;

namespace Dino.Tensors.Io;

/// <summary>Writes into another stream and sums up what went through, piece by piece while it is in the cache.</summary>
internal sealed class HashingStream(Stream inner, NonCryptographicHashAlgorithm hash) : Stream
{
    private const int Piece = 1 << 20;

    /// <summary>Bytes that went through.</summary>
    public long Written { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        for (; buffer.Length > 0; buffer = buffer[Math.Min(Piece, buffer.Length)..])
        {
            var piece = buffer[..Math.Min(Piece, buffer.Length)];
            hash.Append(piece);
            inner.Write(piece);
            Written += piece.Length;
        }
    }
}
