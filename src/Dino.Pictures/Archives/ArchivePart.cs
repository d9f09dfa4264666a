using Dino.Pictures.Decoding;
using Microsoft.Win32.SafeHandles;

namespace Dino.Pictures.Archives;

/// <summary>A file that lies in an archive as it is: read in place.</summary>
internal sealed class ArchivePart(SafeFileHandle archive, long start, long length, string name) : PictureInput(name)
{
    public override long Length => length;

    public override int Read(Span<byte> buffer, long offset)
    {
        if (offset >= length)
            return 0;
        return RandomAccess.Read(archive, buffer[..(int)Math.Min(buffer.Length, length - offset)], start + offset);
    }

    protected override void Dispose(bool disposing)
    {
        archive.Dispose();
        base.Dispose(disposing);
    }
}
