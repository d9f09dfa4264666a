using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>A file of a source.</summary>
/// <param name="Name">Its path from the source on, with /.</param>
/// <param name="Status">Its size and time; of a file of its own also its number.</param>
/// <param name="ByLink">Whether the way to it leads over a link.</param>
/// <param name="Place">Its number in the source, where that opens files by it.</param>
/// <param name="Class">Its class, where the source names classes.</param>
internal readonly record struct SourceFile(string Name, FileStatus Status, bool ByLink = false, int Place = -1, string? Class = null);

/// <summary>Where files lie that may be pictures: a folder, a list of paths, an archive.</summary>
/// <param name="path">Its full path.</param>
internal abstract class FileSource(string path)
{
    private readonly List<string> remarks = [];

    /// <summary>Its full path.</summary>
    public string Path { get; } = path;

    /// <summary>What messages call its kind: "The folder".</summary>
    public abstract string Kind { get; }

    /// <summary>What a person should know of it, each a line.</summary>
    public IReadOnlyList<string> Remarks => remarks;

    /// <summary>Whether classes are named for each file, and are not the folders that they lie in.</summary>
    public bool NamesClasses { get; protected set; }

    /// <summary>Its files in order.</summary>
    /// <param name="skipped">Takes in what cannot be read.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="ImageFolderException">It cannot be listed.</exception>
    public abstract List<SourceFile> Files(SkippedFiles skipped, CancellationToken cancel);

    /// <summary>What messages call a file; its path, where it is a file of its own.</summary>
    public abstract string PathOf(string name);

    /// <summary>Whether a file belongs to a picture beside it, and is no news where it is passed over.</summary>
    public virtual bool IsCompanion(string name) => false;

    /// <summary>Opens a file.</summary>
    /// <param name="name">Its name in the source.</param>
    /// <param name="place">Its number in the source.</param>
    /// <param name="page">Which picture of it.</param>
    /// <exception cref="ImageDecodeException">It cannot be opened.</exception>
    public abstract PictureInput Open(string name, int place, int page);

    /// <summary>Notes what a person should know.</summary>
    public void Note(string remark) => remarks.Add(remark);
}
