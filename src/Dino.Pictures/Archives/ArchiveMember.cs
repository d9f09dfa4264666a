namespace Dino.Pictures.Archives;

/// <summary>A file in an archive.</summary>
/// <param name="Name">Its path in the archive, with /; nothing in it leads out of the archive.</param>
/// <param name="Start">Where in the archive its bytes begin; in a zip file where its own header does, which stands before them.</param>
/// <param name="Packed">The bytes that it takes in the archive.</param>
/// <param name="Length">The bytes of the file.</param>
/// <param name="Modified">When it was last changed, in 100 ns since the year 1 (UTC); 0 where the archive does not say.</param>
/// <param name="IsDeflated">Whether its bytes are compressed.</param>
/// <param name="Checksum">CRC-32 of the file; null where the archive has none.</param>
internal readonly record struct ArchiveMember(
    string Name, long Start, long Packed, long Length, long Modified, bool IsDeflated = false, uint? Checksum = null);
