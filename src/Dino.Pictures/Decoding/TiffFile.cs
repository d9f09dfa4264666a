using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>
/// The chain of directories of a TIFF or a BigTIFF, walked without trust: what is read lies in the file, no directory is met twice, and
/// there is an end to it.
/// </summary>
internal sealed class TiffFile
{
    // A stack of more pictures is read up to here.
    private const int MostDirectories = 1 << 18;

    private readonly PictureInput input;
    private readonly long first;

    /// <summary>Reads the header.</summary>
    /// <exception cref="TiffRefusal">It is damaged.</exception>
    public TiffFile(PictureInput input)
    {
        (this.input, Length) = (input, input.Length);
        Span<byte> start = stackalloc byte[8];
        Fill(start, 0);
        if (!IsTiff(start))
            throw new TiffRefusal(TiffRefusal.DamagedHeader);
        IsBigEndian = start[0] == 'M';
        IsBig = start[2] == 43 || start[3] == 43;
        if (!IsBig)
        {
            first = UInt32(start[4..]);
            return;
        }
        if (UInt16(start[4..]) != 8 || UInt16(start[6..]) != 0)
            throw new TiffRefusal(TiffRefusal.DamagedHeader);
        Fill(start, 8);
        first = Offset(start);
    }

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>Whether numbers begin with their highest byte.</summary>
    public bool IsBigEndian { get; }

    /// <summary>Whether offsets have 64 bits.</summary>
    public bool IsBig { get; }

    /// <summary>Whether a file that starts so claims to be a TIFF; Pillow, too, takes the version's bytes in either order.</summary>
    public static bool IsTiff(ReadOnlySpan<byte> start) =>
        start.Length >= 4
        && ((start[0] == 'I' && start[1] == 'I') || (start[0] == 'M' && start[1] == 'M'))
        && ((start[2] is 42 && start[3] == 0) || (start[2] == 0 && start[3] == 42)
            || (start[0] == 'I' ? start[2] == 43 && start[3] == 0 : start[2] == 0 && start[3] == 43));

    /// <summary>The directories in the order of the chain. It ends where it would begin again, and where it leaves the file.</summary>
    /// <exception cref="TiffRefusal">The first is damaged.</exception>
    public IEnumerable<TiffDirectory> Directories()
    {
        var met = new HashSet<long>();
        for (long at = first; at != 0 && met.Count < MostDirectories && met.Add(at);)
        {
            TiffDirectory? directory = null;
            try
            {
                directory = new TiffDirectory(this, at);
            }
            catch (TiffRefusal) when (met.Count > 1)
            {
                // The pictures before it are whole.
            }
            if (directory is null)
                yield break;
            yield return directory;
            at = directory.Next;
        }
    }

    /// <summary>Fills the span with the file's bytes from a place on.</summary>
    /// <exception cref="TiffRefusal">The file ends before.</exception>
    public void Fill(Span<byte> bytes, long offset)
    {
        if (offset < 0 || offset > Length - bytes.Length)
            throw new TiffRefusal(TiffRefusal.Truncated);
        while (bytes.Length > 0)
        {
            int count = input.Read(bytes, offset);
            if (count <= 0)
                throw new TiffRefusal("the file became shorter while it was read");
            bytes = bytes[count..];
            offset += count;
        }
    }

    /// <summary>A number of 16 bits in the file's order.</summary>
    public ushort UInt16(ReadOnlySpan<byte> bytes) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    /// <summary>A number of 32 bits in the file's order.</summary>
    public uint UInt32(ReadOnlySpan<byte> bytes) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    /// <summary>A number of 64 bits in the file's order; what is more than any file has bytes is the largest number.</summary>
    public long UInt64(ReadOnlySpan<byte> bytes) => (long)Math.Min(long.MaxValue,
        IsBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes));

    /// <summary>A place in the file, of the width that the kind of file has.</summary>
    public long Offset(ReadOnlySpan<byte> bytes) => IsBig ? UInt64(bytes) : UInt32(bytes);
}
