using Dino.Train.Cli;
using Dino.Train.Data;

namespace Dino.Train.Commands;

/// <summary>Opens the folders of pictures that a command was given.</summary>
internal static class Folders
{
    /// <exception cref="UserErrorException">The folder is missing or has no picture.</exception>
    public static ImageFolder Scan(string path, SkippedFiles skipped)
    {
        try
        {
            return ImageFolder.Scan(path, skipped);
        }
        catch (ImageFolderException e)
        {
            throw new UserErrorException(e.Message, e);
        }
    }

    /// <exception cref="UserErrorException">Some picture is in no class folder.</exception>
    public static ImageFolder ScanLabelled(string path, SkippedFiles skipped)
    {
        var folder = Scan(path, skipped);
        return folder.IsLabelled
            ? folder
            : throw new UserErrorException($"{path} holds pictures outside class folders; k-NN needs one folder a class.");
    }
}
