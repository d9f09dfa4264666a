namespace Dino.Pictures.DataSets;

/// <summary>Which pictures of folders, lists and archives are taken.</summary>
public sealed record ImageFolderOptions
{
    /// <summary>Which files are meant, by their names from each folder, list or archive on.</summary>
    public PicturePatterns Patterns { get; init; } = PicturePatterns.All;

    /// <summary>
    /// Whether files that look like masks of the pictures beside them are pictures, too. Else they are left out, and
    /// <see cref="ImageFolder.Remarks"/> say so.
    /// </summary>
    public bool KeepMasks { get; init; }

    /// <summary>Whether every page of a TIFF is a picture of its own, <c>scan.tif#2</c>; else the first one is its picture.</summary>
    public bool EveryPage { get; init; }
}
