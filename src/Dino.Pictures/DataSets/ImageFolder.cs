using System.Runtime.InteropServices;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>
/// The pictures of a folder and everything below it, in ordinal order of their paths, so that numbers of samples mean the same on
/// every machine. A picture's class is the first-level sub-folder that it lies in; pictures in the folder itself have none.
/// </summary>
/// <remarks>
/// A file is a sample when its name ends like a picture's or its first bytes are a picture's; any other file is reported as skipped.
/// Names that start with a dot are passed over, as shells do, and so is what systems put beside files (__MACOSX, Thumbs.db, @eaDir).
/// </remarks>
public sealed class ImageFolder
{
    /// <summary>The label of a picture without class.</summary>
    public const int NoLabel = -1;

    private static readonly HashSet<string> Extensions =
        new([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".pbm", ".pgm", ".ppm", ".pnm", ".pam",
            ".tga", ".tpic", ".icb", ".vda", ".vst", ".tif", ".tiff", ".btf", ".tf8"], StringComparer.OrdinalIgnoreCase);

    private readonly string[] paths;
    private readonly int[] labels;
    private readonly (long Length, long Modified)[] stamps;

    private ImageFolder(string root, string[] names, int[] labels, (long, long)[] stamps, string[] classNames,
        IReadOnlyList<string> remarks)
    {
        paths = [.. names.Select(name => Path.Combine(root, name))];
        (Root, this.labels, this.stamps, ClassNames, Remarks) = (root, labels, stamps, classNames, remarks);
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>Number of samples; some may turn out to be unreadable.</summary>
    public int Count => paths.Length;

    /// <summary>Names of the classes in ordinal order; empty when no picture lies in a sub-folder.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>
    /// What a person should know of the folder: pictures that are there twice, or look like masks of others. Each a line.
    /// </summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>Whether every picture has a class: what k-NN needs.</summary>
    public bool IsLabelled => labels.Length > 0 && !labels.Contains(NoLabel);

    /// <summary>Path of a sample, to be opened by <see cref="RegularFile"/>: its name need not be UTF-8.</summary>
    public string PathOf(int sample) => paths[sample];

    /// <summary>Opens a sample's file.</summary>
    /// <exception cref="ImageDecodeException">It cannot be opened.</exception>
    public PictureInput Open(int sample) => PictureInput.OfFile(paths[sample]);

    /// <summary>
    /// Path of a sample from the folder on, with / on every system, as text for people and files (<see cref="RawName.Shown"/>).
    /// </summary>
    public string RelativePathOf(int sample)
    {
        string name = RawName.Shown(Path.GetRelativePath(Root, paths[sample]));
        return OperatingSystem.IsWindows() ? name.Replace('\\', '/') : name;
    }

    /// <summary>Size of a sample's file in bytes, and when it was last changed (ticks, UTC), as the scan found them.</summary>
    public (long Length, long Modified) StampOf(int sample) => stamps[sample];

    /// <summary>Number of the class of a sample in <see cref="ClassNames"/>, or <see cref="NoLabel"/>.</summary>
    public int LabelOf(int sample) => labels[sample];

    /// <summary>Finds the pictures below <paramref name="root"/>; files that are none are reported to <paramref name="skipped"/>.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="skipped">Takes in what is left out.</param>
    /// <param name="patterns">Which files are meant; null for all.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="ImageFolderException">The folder is missing, cannot be listed, or holds no picture.</exception>
    public static ImageFolder Scan(
        string root, SkippedFiles? skipped = null, PicturePatterns? patterns = null, CancellationToken cancel = default)
    {
        patterns ??= PicturePatterns.All;
        skipped ??= new SkippedFiles();
        List<FolderEntry> files;
        try
        {
            var status = FileStatus.Of(root);
            if (status.Kind != FileKind.Folder)
                throw new ImageFolderException(status.Kind switch
                {
                    FileKind.Missing => $"The folder '{RawName.Shown(root)}' does not exist: check the path.",
                    _ => $"'{RawName.Shown(root)}' is {status.Description}: name the folder that holds the pictures.",
                });
            root = Path.GetFullPath(root);
            files = FolderTree.Files(root, skipped, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageFolderException($"The folder '{RawName.Shown(root)}' cannot be listed: {e.Message}", e);
        }

        var samples = new List<FolderEntry>(files.Count);
        var others = new Dictionary<string, int>();
        int left = 0;
        foreach (var file in CollectionsMarshal.AsSpan(files))
        {
            cancel.ThrowIfCancellationRequested();
            if (!patterns.Match(file.Name))
                left++;
            else if (Extensions.Contains(Path.GetExtension(file.Name)) || IsPicture(Path.Combine(root, file.Name), skipped, others))
                samples.Add(file);
        }
        if (samples.Count == 0)
            throw new ImageFolderException(Nothing(root, others, left));

        string[] names = [.. samples.Select(file => file.Name)];
        var classes = new ClassFolders(names);
        return new ImageFolder(
            root, names, classes.Labels, [.. samples.Select(file => (file.Status.Length, file.Status.Modified))], classes.Names,
            [.. classes.Remarks, .. FolderRemarks.Of(samples)]);
    }

    private static bool IsPicture(string path, SkippedFiles skipped, Dictionary<string, int> others)
    {
        Span<byte> start = stackalloc byte[PictureSignature.LengthOfOthers];
        try
        {
            using var handle = RegularFile.Open(path);
            start = start[..RandomAccess.Read(handle, start, 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            skipped.Report(path, $"the file cannot be read ({e.Message.TrimEnd('.')})");
            return false;
        }
        string? other = PictureSignature.IsTiff(start) ? TiffPicture.RawFormat(path) : PictureSignature.OtherPicture(start);
        if (other is null && PictureSignature.Matches(start, path))
            return true;
        skipped.Report(path, other is null ? PictureSignature.Reason(start) : PictureSignature.NotRead(other));
        if (other is { } format)
            others[format] = others.GetValueOrDefault(format) + 1;
        return false;
    }

    private static string Nothing(string root, Dictionary<string, int> others, int left)
    {
        string folder = $"The folder '{RawName.Shown(root)}'";
        if (left > 0)
            return $"{folder} holds no picture that `Include` and `Exclude` choose: {left} files are left out by them.";
        string kinds = string.Join(", ", others.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => $"{entry.Value} {entry.Key}"));
        return others.Count > 0
            ? $"{folder} holds no picture of {PictureSignature.Formats}, but others ({kinds}): convert them to PNG or JPEG."
            : $"{folder} holds no picture: it needs files of {PictureSignature.Formats}, directly or in sub-folders.";
    }
}
