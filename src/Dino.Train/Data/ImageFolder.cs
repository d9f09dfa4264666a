namespace Dino.Train.Data;

/// <summary>
/// The pictures of a folder and everything below it, in ordinal order of their paths, so that numbers of samples mean the same on
/// every machine. A picture's class is the first-level sub-folder that it lies in; pictures in the folder itself have none.
/// </summary>
/// <remarks>
/// A file is a sample when its name ends like a picture's or its first bytes are a picture's; any other file is reported as skipped.
/// Names that start with a dot are passed over, as shells do.
/// </remarks>
public sealed class ImageFolder
{
    /// <summary>The label of a picture without class.</summary>
    public const int NoLabel = -1;

    private static readonly HashSet<string> Extensions =
        new([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif"], StringComparer.OrdinalIgnoreCase);

    private readonly string[] paths;
    private readonly int[] labels;

    private ImageFolder(string root, string[] paths, int[] labels, string[] classNames)
    {
        (Root, this.paths, this.labels, ClassNames) = (root, paths, labels, classNames);
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>Number of samples; some may turn out to be unreadable.</summary>
    public int Count => paths.Length;

    /// <summary>Names of the classes in ordinal order; empty when no picture lies in a sub-folder.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Whether every picture has a class: what k-NN needs.</summary>
    public bool IsLabelled => labels.Length > 0 && !labels.Contains(NoLabel);

    /// <summary>Path of a sample.</summary>
    public string PathOf(int sample) => paths[sample];

    /// <summary>Path of a sample from the folder on, with / on every system.</summary>
    public string RelativePathOf(int sample) => Path.GetRelativePath(Root, paths[sample]).Replace('\\', '/');

    /// <summary>Number of the class of a sample in <see cref="ClassNames"/>, or <see cref="NoLabel"/>.</summary>
    public int LabelOf(int sample) => labels[sample];

    /// <summary>Finds the pictures below <paramref name="root"/>; files that are none are reported to <paramref name="skipped"/>.</summary>
    /// <exception cref="ImageFolderException">The folder is missing, cannot be listed, or holds no picture.</exception>
    public static ImageFolder Scan(string root, SkippedFiles? skipped = null)
    {
        if (!Directory.Exists(root))
            throw new ImageFolderException(File.Exists(root)
                ? $"'{root}' is a file: name the folder that holds the pictures."
                : $"The folder '{root}' does not exist: check the path.");
        root = Path.GetFullPath(root);
        string[] files;
        try
        {
            files = Directory.GetFiles(root, "*", new EnumerationOptions
            {
                RecurseSubdirectories = true,
                IgnoreInaccessible = false,
                AttributesToSkip = FileAttributes.System,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageFolderException($"The folder '{root}' cannot be listed: {e.Message}", e);
        }
        // With one separator on every system, the order does not depend on the system either.
        string[] relative = [.. files.Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Where(name => !IsHidden(name))];
        Array.Sort(relative, StringComparer.Ordinal);

        var samples = new List<string>();
        foreach (string name in relative)
        {
            string path = Path.Combine(root, name);
            if (Extensions.Contains(Path.GetExtension(name)) || StartsLikePicture(path))
                samples.Add(name);
            else
                skipped?.Report(path, $"it is not a {PictureSignature.Formats} picture");
        }
        if (samples.Count == 0)
            throw new ImageFolderException(
                $"The folder '{root}' holds no picture: it needs files of {PictureSignature.Formats}, directly or in sub-folders.");

        string[] classNames = [.. samples.Select(ClassOf).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        var number = classNames.Select((name, index) => (name, index)).ToDictionary(entry => entry.name, entry => entry.index);
        return new ImageFolder(
            root,
            [.. samples.Select(name => Path.Combine(root, name))],
            [.. samples.Select(name => ClassOf(name) is { } c ? number[c] : NoLabel)],
            classNames);
    }

    private static string? ClassOf(string relative) => relative.IndexOf('/') is >= 0 and var end ? relative[..end] : null;

    private static bool IsHidden(string relative) => relative.StartsWith('.') || relative.Contains("/.", StringComparison.Ordinal);

    private static bool StartsLikePicture(string path)
    {
        Span<byte> start = stackalloc byte[PictureSignature.Length];
        try
        {
            using var handle = File.OpenHandle(path);
            return PictureSignature.Matches(start[..RandomAccess.Read(handle, start, 0)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }
}
