using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>
/// Finds the files that look like masks of the pictures beside them: of the same name but for the ending, and grey or of few colours where
/// the other is a photograph; of the same name with <c>_mask</c> or its like behind it; or of the same name in a folder <c>masks</c> beside
/// one of <c>images</c>.
/// </summary>
/// <param name="source">Where the files are.</param>
internal sealed class MaskSearch(FileSource source)
{
    private static readonly string[] suffixes =
        ["mask", "masks", "seg", "segmentation", "label", "labels", "annotation", "annotations"];

    private static readonly HashSet<string> maskFolders = new(
        ["mask", "masks", "annotation", "annotations", "label", "labels", "seg", "segmentation", "segmentations", "segmentationclass",
            "segmentationobject", "ground_truth", "groundtruth", "gt"], StringComparer.OrdinalIgnoreCase);

    private static readonly string[] pictureFolders =
        ["images", "image", "imgs", "img", "jpegimages", "pictures", "photos", "frames", "rgb"];

    private static readonly HashSet<string> pictureNames = new(pictureFolders, StringComparer.OrdinalIgnoreCase);

    /// <summary>An example of what was found: "a/1.png beside a/1.jpg"; null for nothing.</summary>
    public string? Example { get; private set; }

    /// <summary>The files without those that look like masks.</summary>
    public List<SourceFile> Without(List<SourceFile> files, CancellationToken cancel)
    {
        var masks = new HashSet<int>();
        OfOneName(files, masks, cancel);
        ByName(files, masks);
        return masks.Count == 0 ? files : [.. files.Where((_, i) => !masks.Contains(i))];
    }

    private void Found(HashSet<int> masks, List<SourceFile> files, int mask, string picture)
    {
        if (masks.Add(mask))
            Example ??= $"{RawName.Shown(files[mask].Name)} beside {RawName.Shown(picture)}";
    }

    private void OfOneName(List<SourceFile> files, HashSet<int> masks, CancellationToken cancel)
    {
        foreach (var twins in SameStems.Of(files))
        {
            cancel.ThrowIfCancellationRequested();
            var looks = twins.Select(i => Look(files[i])).ToArray();
            int photograph = Array.FindIndex(looks, look => look.Colours == StoredColours.Colour || look.IsJpeg);
            if (photograph < 0)
                continue;
            for (int i = 0; i < looks.Length; i++)
            {
                // A grey copy of a grey JPEG is a copy.
                if (!looks[i].IsJpeg && (looks[i].Colours == StoredColours.Few
                    || looks[i].Colours == StoredColours.Grey && looks[photograph].Colours == StoredColours.Colour))
                    Found(masks, files, twins[i], files[twins[photograph]].Name);
            }
        }
    }

    private (StoredColours Colours, bool IsJpeg) Look(in SourceFile file)
    {
        try
        {
            using var input = source.Open(file.Name, file.Place, 0);
            return (StoredColoursOf.Picture(input, out bool isJpeg), isJpeg);
        }
        catch (Exception e) when (e is ImageDecodeException or IOException or UnauthorizedAccessException)
        {
            return (StoredColours.Unknown, false);
        }
    }

    private void ByName(List<SourceFile> files, HashSet<int> masks)
    {
        // Most folders have nothing that is named so, and need no table.
        int[] named = [.. Enumerable.Range(0, files.Count).Where(i =>
            !masks.Contains(i) && (WithoutSuffix(StemOf(files[i].Name)) is not null || MaskFolder(files[i].Name).Length > 0))];
        if (named.Length == 0)
            return;
        var pictures = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (int i = files.Count - 1; i >= 0; i--)
            pictures[StemOf(files[i].Name)] = i;
        foreach (int i in named)
        {
            foreach (string other in PicturesOf(files[i].Name))
            {
                if (pictures.TryGetValue(other, out int picture) && picture != i)
                {
                    Found(masks, files, i, files[picture].Name);
                    break;
                }
            }
        }
    }

    /// <summary>What the picture of a mask may be called, without its ending.</summary>
    private static IEnumerable<string> PicturesOf(string mask)
    {
        string stem = StemOf(mask);
        string? bare = WithoutSuffix(stem);
        if (bare is not null)
            yield return bare;
        string folder = MaskFolder(mask);
        if (folder.Length == 0)
            yield break;
        string above = folder[..(folder.LastIndexOf('/') + 1)];
        foreach (string pictures in pictureFolders)
        {
            yield return $"{above}{pictures}{stem[folder.Length..]}";
            if (bare is not null && bare.Length > folder.Length)
                yield return $"{above}{pictures}{bare[folder.Length..]}";
        }
    }

    /// <summary>The path of the first folder on the way that is called as masks are; empty for none.</summary>
    private static string MaskFolder(string name)
    {
        for (int at = 0, end; (end = name.IndexOf('/', at)) >= 0; at = end + 1)
        {
            if (maskFolders.Contains(name[at..end]))
                return name[..end];
            if (pictureNames.Contains(name[at..end]))
                return "";
        }
        return "";
    }

    private static string? WithoutSuffix(string stem)
    {
        foreach (string suffix in suffixes)
        {
            int bare = stem.Length - suffix.Length - 1;
            if (bare > 0 && stem[bare] is '_' or '-' or '.' && stem[bare - 1] != '/'
                && stem.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                return stem[..bare];
        }
        return null;
    }

    private static string StemOf(string name) => name[..^Path.GetExtension(name.AsSpan()).Length];
}
