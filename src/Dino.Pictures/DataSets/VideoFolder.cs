using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>A video as a folder of frames, with annotations of the first frame and of some others.</summary>
/// <param name="Name">The folder's name.</param>
/// <param name="Frames">Paths in order.</param>
/// <param name="Annotations">For each frame its mask, or null.</param>
public sealed record VideoSequence(string Name, IReadOnlyList<string> Frames, IReadOnlyList<string?> Annotations)
{
    /// <summary>What a person should know of the names: numbers that can be read in two ways, masks of no frame. Each a line.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];
}

/// <summary>
/// Videos in the layout of DAVIS: JPEGImages/480p/NAME/00000.jpg, Annotations/480p/NAME/00000.png. Frames are taken in natural order, 2
/// before 10.
/// </summary>
public static class VideoFolder
{
    /// <summary>The videos of a folder: those asked for, else those of ImageSets/2017/val.txt, else all that have annotations.</summary>
    /// <exception cref="ImageFolderException">A folder, a frame or the annotation of a first frame is missing.</exception>
    public static IReadOnlyList<VideoSequence> Scan(string root, IReadOnlyCollection<string> names) => Scan(root, names, null);

    /// <summary>The same, without the videos that cannot be followed.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="names">The videos asked for; none for all.</param>
    /// <param name="onBroken">Is given the name of a video and what is wrong with it; null to end at the first.</param>
    /// <exception cref="ImageFolderException">A folder is missing, or there is no video.</exception>
    public static IReadOnlyList<VideoSequence> Scan(string root, IReadOnlyCollection<string> names, Action<string, string>? onBroken)
    {
        string frames = Layer(root, "JPEGImages"), annotations = Layer(root, "Annotations"),
            list = Path.Combine(root, "ImageSets", "2017", "val.txt");
        string[] found;
        try
        {
            found = names.Count > 0 ? [.. names.Distinct()]
                : FileStatus.Of(list).Kind != FileKind.Missing ? [.. RegularFile.ReadLines(list).Distinct()]
                : FolderTree.Names(annotations, FileKind.Folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ImageFolderException($"The videos of {RawName.Shown(root)} cannot be listed: {e.Message}", e);
        }
        if (found.Length == 0)
            throw new ImageFolderException($"{RawName.Shown(annotations)} holds no folder of a video.");
        var videos = new List<VideoSequence>(found.Length);
        foreach (string name in found)
        {
            try
            {
                if (name.Split('/', '\\').Any(part => part is "" or "." or ".."))
                    throw new ImageFolderException($"'{RawName.Shown(name)}' is no name of a video.");
                videos.Add(Open(Below(frames, name), Below(annotations, name), name));
            }
            catch (ImageFolderException e) when (onBroken is not null)
            {
                onBroken(name, e.Message);
            }
        }
        return videos;
    }

    private static VideoSequence Open(string frameFolder, string annotationFolder, string name)
    {
        string[] frames = [.. Files(frameFolder, ".jpg", ".jpeg", ".png", ".webp", ".bmp").Order(NaturalOrder.Instance)];
        if (frames.Length == 0)
            throw new ImageFolderException($"{RawName.Shown(frameFolder)} holds no frame.");
        string[] masks = Files(annotationFolder, ".png");
        string?[] annotations = Pair(frames, masks);
        string shown = RawName.Shown(frames[0]);
        if (annotations[0] is null)
            throw new ImageFolderException($"{RawName.Shown(annotationFolder)} has no mask of the first frame, "
                + $"{Path.GetFileNameWithoutExtension(shown)}.png.");
        var remarks = new List<string>();
        if (NaturalOrder.Doubt([.. frames.Select(Path.GetFileNameWithoutExtension)!]) is { } doubt)
            remarks.Add($"the order of its {frames.Length} frames is in doubt: {RawName.Shown(doubt)}; they are taken from {shown} to "
                + $"{RawName.Shown(frames[^1])}");
        var used = annotations.OfType<string>().ToHashSet();
        if (masks.FirstOrDefault(mask => !used.Contains(mask)) is { } unused)
            remarks.Add($"{masks.Length - used.Count} masks belong to no frame, {RawName.Shown(unused)} first");
        return new VideoSequence(
            name, [.. frames.Select(frame => Path.Combine(frameFolder, frame))],
            [.. annotations.Select(mask => mask is null ? null : Path.Combine(annotationFolder, mask))])
        { Remarks = remarks };
    }

    /// <summary>The mask of each frame: of the same name but for the ending, or else the only one of the same number.</summary>
    private static string?[] Pair(string[] frames, string[] masks)
    {
        var byName = masks.ToLookup(mask => Path.GetFileNameWithoutExtension(mask), NameForm.Comparer);
        var byNumber = masks.ToLookup(mask => NaturalOrder.Canonical(Path.GetFileNameWithoutExtension(mask)), NameForm.Comparer);
        return [.. frames.Select(frame =>
        {
            string stem = Path.GetFileNameWithoutExtension(frame);
            return byName[stem].FirstOrDefault() ?? (byNumber[NaturalOrder.Canonical(stem)].ToArray() is [var only] ? only : null);
        })];
    }

    private static string Layer(string root, string name)
    {
        string folder = Path.Combine(root, name), resolution = Path.Combine(folder, "480p");
        return FileStatus.Of(resolution).Kind == FileKind.Folder ? resolution
            : FileStatus.Of(folder).Kind == FileKind.Folder ? folder
            : throw new ImageFolderException($"{RawName.Shown(root)} has no folder {name}: videos come as JPEGImages/480p/NAME and "
                + $"Annotations/480p/NAME.");
    }

    /// <summary>A folder in another, by its name or by one that looks the same.</summary>
    private static string Below(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (FileStatus.Of(path).Kind != FileKind.Missing)
            return path;
        return FolderTree.Names(folder, FileKind.Folder).FirstOrDefault(other => NameForm.Comparer.Equals(other, name)) is { } same
            ? Path.Combine(folder, same) : path;
    }

    private static string[] Files(string folder, params string[] extensions)
    {
        if (FileStatus.Of(folder).Kind != FileKind.Folder)
            throw new ImageFolderException($"There is no folder {RawName.Shown(folder)}.");
        try
        {
            return [.. FolderTree.Names(folder, FileKind.Regular)
                .Where(name => extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageFolderException($"The folder {RawName.Shown(folder)} cannot be listed: {e.Message}", e);
        }
    }
}
