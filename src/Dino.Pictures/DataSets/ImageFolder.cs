using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>A picture of a data set.</summary>
/// <param name="Source">The number of the folder, list or archive that it is in.</param>
/// <param name="Name">Its name there.</param>
/// <param name="Place">Its number there, where files are opened by it.</param>
/// <param name="Page">Which page of its file, where pages are pictures; else <see cref="NoPage"/>.</param>
/// <param name="Length">The bytes of its file.</param>
/// <param name="Modified">When that was last changed.</param>
internal readonly record struct Sample(int Source, string Name, int Place, int Page, long Length, long Modified)
{
    /// <summary>In place of a page, of a file that is one picture.</summary>
    public const int NoPage = -1;

    /// <summary>Its name among the samples: pages are counted from 1.</summary>
    public string OwnName => Page == NoPage ? Name : $"{Name}#{Page + 1}";
}

/// <summary>
/// The pictures of a folder and everything below it, in ordinal order of their paths, so that numbers of samples mean the same on
/// every machine. A picture's class is the first-level sub-folder that it lies in; pictures in the folder itself have none.
/// </summary>
/// <remarks>
/// <para>
/// A file is a sample when its name ends like a picture's or its first bytes are a picture's; any other file is reported as skipped.
/// Names that start with a dot are passed over, as shells do, and so is what systems put beside files (__MACOSX, Thumbs.db, @eaDir).
/// </para>
/// <para>
/// In place of a folder stand a text file of paths (.txt, .lst: a path a line, behind it a tab and a class, or a space and the number of a
/// class), and a zip or tar archive, which is read in place. In an archive <c>key.cls</c> names the class of <c>key.jpg</c>, as in shards
/// of WebDataset. Several are taken in the order given; their classes of one name are one. A name with braces,
/// <c>train-{000..009}.tar</c>, stands for many.
/// </para>
/// </remarks>
public sealed class ImageFolder
{
    /// <summary>The label of a picture without class.</summary>
    public const int NoLabel = -1;

    private static readonly HashSet<string> Extensions =
        new([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".pbm", ".pgm", ".ppm", ".pnm", ".pam",
            ".tga", ".tpic", ".icb", ".vda", ".vst", ".tif", ".tiff", ".btf", ".tf8"], StringComparer.OrdinalIgnoreCase);

    private readonly FileSource[] sources;
    private readonly string[] prefixes;
    private readonly Sample[] samples;
    private readonly int[] labels;

    internal ImageFolder(
        FileSource[] sources, string[] prefixes, Sample[] samples, int[] labels, string[] classNames, IReadOnlyList<string> remarks)
    {
        (this.sources, this.prefixes, this.samples, this.labels) = (sources, prefixes, samples, labels);
        (ClassNames, Remarks) = (classNames, remarks);
        Roots = [.. sources.Select(source => source.Path)];
    }

    /// <summary>The folder, list or archive; of several the first ones, for messages.</summary>
    public string Root => string.Join(", ", Roots.Take(3)) + (Roots.Count > 3 ? $" and {Roots.Count - 3} more" : "");

    /// <summary>What a message about all of it begins with: "The archive 'photos.zip'".</summary>
    internal string Title => $"{(sources.Length == 1 ? sources[0].Kind : "The data set")} '{RawName.Shown(Root)}'";

    /// <summary>Full paths of the folders, lists and archives, in their order.</summary>
    public IReadOnlyList<string> Roots { get; }

    /// <summary>Number of samples; some may turn out to be unreadable.</summary>
    public int Count => samples.Length;

    /// <summary>Names of the classes in ordinal order; empty when no picture lies in a sub-folder.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>
    /// What a person should know of the folder: pictures that are there twice, or look like masks of others. Each a line.
    /// </summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>How many files were left out because they look like masks of pictures beside them.</summary>
    public int MasksLeftOut { get; internal init; }

    /// <summary>Whether every picture has a class: what k-NN needs.</summary>
    public bool IsLabelled => labels.Length > 0 && !labels.Contains(NoLabel);

    /// <summary>
    /// Path of a sample, for messages. A file by itself can be opened by it with <see cref="RegularFile"/>, since its name need not be
    /// UTF-8; one in an archive has the archive's path before its name, and a page its number behind it (<c>scan.tif#2</c>): they are
    /// opened by <see cref="Open"/> alone.
    /// </summary>
    public string PathOf(int sample) => sources[samples[sample].Source].PathOf(samples[sample].OwnName);

    /// <summary>Opens a sample's file, in an archive or by itself.</summary>
    /// <exception cref="ImageDecodeException">It cannot be opened.</exception>
    public PictureInput Open(int sample)
    {
        ref readonly var picture = ref samples[sample];
        return sources[picture.Source].Open(picture.Name, picture.Place, Math.Max(0, picture.Page));
    }

    /// <summary>
    /// Path of a sample from the folder on, with / on every system, as text for people and files (<see cref="RawName.Shown"/>). No two
    /// samples have the same: where there are several folders, it begins with the folder's own name.
    /// </summary>
    public string RelativePathOf(int sample) => RawName.Shown(prefixes[samples[sample].Source] + samples[sample].OwnName);

    /// <summary>The name of a sample's file in its folder, list or archive, which no other source changes.</summary>
    internal string FileNameOf(int sample) => RawName.Shown(samples[sample].Name);

    /// <summary>Size of a sample's file in bytes, and when it was last changed (ticks, UTC), as the scan found them.</summary>
    public (long Length, long Modified) StampOf(int sample) => (samples[sample].Length, samples[sample].Modified);

    /// <summary>Number of the class of a sample in <see cref="ClassNames"/>, or <see cref="NoLabel"/>.</summary>
    public int LabelOf(int sample) => labels[sample];

    /// <summary>Finds the pictures below <paramref name="root"/>; files that are none are reported to <paramref name="skipped"/>.</summary>
    /// <param name="root">The folder, or what may stand in its place.</param>
    /// <param name="skipped">Takes in what is left out.</param>
    /// <param name="patterns">Which files are meant; null for all.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="ImageFolderException">The folder is missing, cannot be listed, or holds no picture.</exception>
    public static ImageFolder Scan(
        string root, SkippedFiles? skipped = null, PicturePatterns? patterns = null, CancellationToken cancel = default) =>
        Scan([root], new ImageFolderOptions { Patterns = patterns ?? PicturePatterns.All }, skipped, cancel);

    /// <summary>Finds the pictures of folders, lists and archives together.</summary>
    /// <param name="roots">The folders, or what may stand in their place.</param>
    /// <param name="options">Which pictures are taken.</param>
    /// <param name="skipped">Takes in what is left out.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="ImageFolderException">One is missing, cannot be read, holds no picture, or is there twice.</exception>
    public static ImageFolder Scan(
        IReadOnlyList<string> roots, ImageFolderOptions options, SkippedFiles? skipped = null, CancellationToken cancel = default) =>
        new DataScan(skipped ?? new SkippedFiles(), options, cancel).Run(roots);

    /// <summary>
    /// Parts the pictures by their names alone: one with a name is on the same side in every run, however many others are added. Of a class
    /// with more than one picture, both sides have some; of one with a single picture, it is for training.
    /// </summary>
    /// <param name="share">The share for validation, between 0 and 1.</param>
    /// <returns>The pictures to train with and those held out, both with all classes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The share is none.</exception>
    /// <exception cref="ImageFolderException">No picture can be spared.</exception>
    public (ImageFolder Train, ImageFolder Val) Split(double share)
    {
        var isHeldOut = HeldOut.Choose(this, share);
        var remarks = new List<string>();
        if (HeldOut.WithoutAny(this, isHeldOut) is { Length: > 0 } without)
            remarks.Add($"{without.Length} classes have a single picture, and none to be held out: "
                + $"{string.Join(", ", without.Take(5))}{(without.Length > 5 ? ", …" : "")}");
        return (Part(false, []), Part(true, remarks));

        ImageFolder Part(bool heldOut, IReadOnlyList<string> said)
        {
            int[] numbers = [.. Enumerable.Range(0, Count).Where(sample => isHeldOut[sample] == heldOut)];
            return new ImageFolder(sources, prefixes, [.. numbers.Select(sample => samples[sample])],
                [.. numbers.Select(sample => labels[sample])], [.. ClassNames], said)
            { MasksLeftOut = MasksLeftOut };
        }
    }

    /// <summary>Whether some pictures are no files of their own.</summary>
    internal bool IsInArchives => sources.Any(source => source is ArchiveSource);

    /// <summary>Whether a sample is of the same file as the one before it.</summary>
    internal bool IsNextPage(int sample) =>
        sample > 0 && samples[sample] is { Page: not Sample.NoPage } own && samples[sample - 1] is { Page: not Sample.NoPage } before
        && (own.Source, own.Name) == (before.Source, before.Name);

    /// <summary>Whether a file is taken for a picture by its name alone.</summary>
    internal static bool IsNamedAsPicture(string name) => Extensions.Contains(Path.GetExtension(name));
}
