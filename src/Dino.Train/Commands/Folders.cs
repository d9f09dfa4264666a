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

    /// <summary>Every picture of a folder with the mask of the same name, whatever the extensions, in the order of names.</summary>
    /// <exception cref="UserErrorException">A folder has no picture, or a picture has no mask.</exception>
    public static List<(string Image, string Mask)> PairByName(string images, string masks)
    {
        var skipped = new SkippedFiles();
        var maskOf = new Dictionary<string, string>(StringComparer.Ordinal);
        var maskFolder = Scan(masks, skipped);
        for (int i = 0; i < maskFolder.Count; i++)
        {
            if (!maskOf.TryAdd(Name(masks, maskFolder.PathOf(i)), maskFolder.PathOf(i)))
                throw new UserErrorException($"{masks} has more than one mask named {Name(masks, maskFolder.PathOf(i))}.");
        }
        var pictures = Scan(images, skipped);
        var pairs = new List<(string Image, string Mask)>(pictures.Count);
        for (int i = 0; i < pictures.Count; i++)
        {
            string picture = pictures.PathOf(i);
            pairs.Add((picture, maskOf.TryGetValue(Name(images, picture), out string? mask)
                ? mask
                : throw new UserErrorException($"{picture} has no mask: {masks} holds no {Name(images, picture)}.")));
        }
        return pairs;
    }

    private static string Name(string root, string path) => Path.ChangeExtension(Path.GetRelativePath(root, path), null).Replace('\\', '/');
}
