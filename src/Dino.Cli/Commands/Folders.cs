using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Tensors.Io;

namespace Dino.Cli.Commands;

/// <summary>Opens the folders of pictures that a command was given, as its options choose, and says what is odd about them.</summary>
internal static class Folders
{
    /// <summary>Where a command names what it leaves out, each file once.</summary>
    public static SkippedFiles Skipped(CommandContext context) =>
        new((path, reason) => context.Error.WriteLine($"skipped {RawName.Shown(path)}: {reason}"));

    /// <exception cref="ImageFolderException">The folder is missing or has no picture.</exception>
    public static ImageFolder Scan(CommandContext context, IReadOnlyList<string> paths, SkippedFiles skipped) =>
        Scan(context, paths, PictureChoice.Read(context), skipped);

    /// <summary>Parts pictures into those to train with and those held out, a share of them.</summary>
    /// <exception cref="ImageFolderException">No picture can be spared.</exception>
    public static (ImageFolder Train, ImageFolder Val) Split(CommandContext context, ImageFolder folder, double share)
    {
        var parts = folder.Split(share);
        Note(context, parts.Val);
        return parts;
    }

    /// <summary>Pictures to learn from and pictures to be judged by, in class folders: the second may be a share of the first.</summary>
    /// <exception cref="UserErrorException">Some picture is in no class folder.</exception>
    public static (ImageFolder Train, ImageFolder Val) ScanLabelled(
        CommandContext context, IReadOnlyList<string> train, Option<string[]> val, SkippedFiles skipped)
    {
        double? share = HeldOutShare.Of(val, context.Get(val)!);
        var folder = ScanLabelled(context, train, skipped);
        return share is { } part ? Split(context, folder, part) : (folder, ScanLabelled(context, context.Get(val)!, skipped));
    }

    private static ImageFolder Scan(
        CommandContext context, IReadOnlyList<string> paths, ImageFolderOptions options, SkippedFiles skipped)
    {
        _ = PictureChoice.MaxPixels(context); // a wrong number is said before the work
        var folder = ImageFolder.Scan(paths, options, skipped, context.Cancel);
        Note(context, folder);
        return folder;
    }

    private static void Note(CommandContext context, ImageFolder folder)
    {
        string of = folder.Roots.Count == 1 ? $"{RawName.Shown(folder.Root)}: " : "";
        foreach (string remark in folder.Remarks)
            context.Error.WriteLine($"note: {of}{remark}");
    }

    /// <exception cref="UserErrorException">Some picture is in no class folder.</exception>
    public static ImageFolder ScanLabelled(CommandContext context, IReadOnlyList<string> paths, SkippedFiles skipped)
    {
        var folder = Scan(context, paths, skipped);
        return folder.IsLabelled
            ? folder
            : throw new UserErrorException($"{string.Join(", ", paths)} holds pictures outside class folders; classes are told by them, "
                + $"one folder a class.");
    }

    /// <summary>
    /// Every picture of a folder with the mask of the same name, whatever the extensions, in the order of names. A picture without a mask,
    /// or with
    /// more than one, and a mask without a picture are reported.
    /// </summary>
    /// <exception cref="ImageFolderException">A folder has no picture.</exception>
    public static List<(string Image, string Mask)> PairByName(CommandContext context, string images, string masks, SkippedFiles skipped)
    {
        // A mask beside its picture is what is looked for here.
        var options = PictureChoice.Read(context) with { KeepMasks = true, EveryPage = false };
        var pictures = OfFiles(Scan(context, [images], options, skipped));
        var found = new Dictionary<string, List<string>>(NameForm.Comparer);
        // The patterns choose pictures; their masks follow from them.
        var maskFolder = OfFiles(ImageFolder.Scan([masks], new ImageFolderOptions { KeepMasks = true }, skipped, context.Cancel));
        for (int i = 0; i < maskFolder.Count; i++)
        {
            string stem = Stem(maskFolder, i);
            if (!found.TryGetValue(stem, out var paths))
                found[stem] = paths = [];
            paths.Add(maskFolder.PathOf(i));
        }
        var pairs = new List<(string Image, string Mask)>(pictures.Count);
        var known = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < pictures.Count; i++)
        {
            string picture = pictures.PathOf(i), stem = Stem(pictures, i);
            var paths = found.GetValueOrDefault(stem) ?? [];
            // Where pictures and masks share a folder, a picture is not its own mask.
            string[] other = paths.Count > 1 ? [.. paths.Where(path => path != picture)] : [.. paths];
            known.Add(picture);
            known.UnionWith(other);
            if (other.Length == 1)
                pairs.Add((picture, other[0]));
            else
                skipped.Report(picture, other.Length == 0 ? $"it has no mask: {masks} holds no {stem}"
                    : $"{masks} has more than one mask named {stem}");
        }
        if (options.Patterns.IsAll) // else what was not chosen has masks, too
        {
            for (int i = 0; i < maskFolder.Count; i++)
            {
                if (!known.Contains(maskFolder.PathOf(i)))
                    skipped.Report(maskFolder.PathOf(i), $"it has no picture: {images} holds no {Stem(maskFolder, i)}");
            }
        }
        return pairs;
    }

    private static ImageFolder OfFiles(ImageFolder folder) => folder.IsInArchives
        ? throw new UserErrorException($"{RawName.Shown(folder.Root)} is an archive; pictures with masks are read from folders: unpack it.")
        : folder;

    private static string Stem(ImageFolder folder, int sample) => Path.ChangeExtension(folder.RelativePathOf(sample), null);
}
