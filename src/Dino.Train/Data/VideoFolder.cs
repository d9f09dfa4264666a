namespace Dino.Train.Data;

/// <summary>A video as a folder of frames, with annotations of the first frame and of some others.</summary>
/// <param name="Name">The folder's name.</param>
/// <param name="Frames">Paths in order.</param>
/// <param name="Annotations">For each frame its mask, or null.</param>
public sealed record VideoSequence(string Name, IReadOnlyList<string> Frames, IReadOnlyList<string?> Annotations);

/// <summary>Videos in the layout of DAVIS: JPEGImages/480p/NAME/00000.jpg, Annotations/480p/NAME/00000.png.</summary>
public static class VideoFolder
{
    /// <summary>The videos of a folder: those asked for, else those of ImageSets/2017/val.txt, else all that have annotations.</summary>
    /// <exception cref="UserErrorException">A folder, a frame or the annotation of a first frame is missing.</exception>
    public static IReadOnlyList<VideoSequence> Scan(string root, IReadOnlyCollection<string> names)
    {
        string frames = Layer(root, "JPEGImages"), annotations = Layer(root, "Annotations"), list = Path.Combine(root, "ImageSets", "2017", "val.txt");
        string[] found = names.Count > 0 ? [.. names]
            : File.Exists(list) ? [.. File.ReadAllLines(list).Select(line => line.Trim()).Where(line => line.Length > 0)]
            : [.. Directory.GetDirectories(annotations).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        return found.Length > 0
            ? [.. found.Select(name => Open(Path.Combine(frames, name), Path.Combine(annotations, name), name))]
            : throw new UserErrorException($"{annotations} holds no folder of a video.");
    }

    private static VideoSequence Open(string frameFolder, string annotationFolder, string name)
    {
        string[] frames = [.. Files(frameFolder, ".jpg", ".jpeg", ".png")];
        if (frames.Length == 0)
            throw new UserErrorException($"{frameFolder} holds no frame.");
        var masks = Files(annotationFolder, ".png").ToDictionary(path => Path.GetFileNameWithoutExtension(path), StringComparer.Ordinal);
        string?[] annotations = [.. frames.Select(path => masks.GetValueOrDefault(Path.GetFileNameWithoutExtension(path)))];
        return annotations[0] is null
            ? throw new UserErrorException($"{annotationFolder} has no mask of the first frame, {Path.GetFileNameWithoutExtension(frames[0])}.png.")
            : new VideoSequence(name, frames, annotations);
    }

    private static string Layer(string root, string name)
    {
        string folder = Path.Combine(root, name), resolution = Path.Combine(folder, "480p");
        return Directory.Exists(resolution) ? resolution
            : Directory.Exists(folder) ? folder
            : throw new UserErrorException($"{root} has no folder {name}: videos come as JPEGImages/480p/NAME and Annotations/480p/NAME.");
    }

    private static IEnumerable<string> Files(string folder, params string[] extensions) => Directory.Exists(folder)
        ? Directory.GetFiles(folder).Where(path => extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)
        : throw new UserErrorException($"There is no folder {folder}.");
}
