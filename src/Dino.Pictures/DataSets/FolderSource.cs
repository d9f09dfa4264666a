using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>A folder and everything below it.</summary>
internal sealed class FolderSource(string path) : FileSource(path)
{
    /// <inheritdoc/>
    public override string Kind => "The folder";

    /// <inheritdoc/>
    public override List<SourceFile> Files(SkippedFiles skipped, CancellationToken cancel)
    {
        try
        {
            var found = FolderTree.Files(Path, skipped, cancel);
            return found.ConvertAll(file => new SourceFile(file.Name, file.Status, file.ByLink));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageFolderException($"The folder '{RawName.Shown(Path)}' cannot be listed: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public override string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public override PictureInput Open(string name, int place, int page) => PictureInput.OfFile(PathOf(name), page);
}
