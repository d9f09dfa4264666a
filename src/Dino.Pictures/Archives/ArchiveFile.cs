using Dino.Pictures.Decoding;
using Dino.Tensors.Io;
using Microsoft.Win32.SafeHandles;

namespace Dino.Pictures.Archives;

/// <summary>An archive as it was when it was listed.</summary>
/// <param name="Path">Its path.</param>
/// <param name="IsZip">Whether it is a zip file; else it is a tar.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Modified">When it was last changed.</param>
internal sealed record ArchiveFile(string Path, bool IsZip, long Length, long Modified)
{
    /// <summary>Opens a file in it. Nothing is kept open between two, so that thousands of archives may be in use.</summary>
    /// <param name="member">The file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="page">Which picture of it.</param>
    /// <exception cref="ImageDecodeException">The archive is gone or was changed, or the file's header in it is damaged.</exception>
    public PictureInput Open(in ArchiveMember member, string name, int page = 0)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = RegularFile.Open(Path);
            // Another archive of that name has other things at the same places.
            if (RandomAccess.GetLength(handle) != Length || FileStatus.Of(Path).Modified != Modified)
                throw new IOException("the archive was changed after it was listed");
            long start = IsZip ? ZipListing.StartOf(handle, member, Length) : member.Start;
            PictureInput input = member.IsDeflated
                ? new InflatedPart(handle, start, member.Length, member.Checksum, name) { Page = page }
                : new ArchivePart(handle, start, member.Length, name) { Page = page };
            handle = null;
            return input;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ImageDecodeException(name, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
        finally
        {
            handle?.Dispose();
        }
    }
}
