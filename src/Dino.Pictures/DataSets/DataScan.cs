using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>Finds the pictures of folders, lists and archives, and their classes.</summary>
/// <param name="skipped">Takes in what is left out.</param>
/// <param name="options">Which pictures are taken.</param>
/// <param name="cancel">Stops between two files.</param>
internal sealed class DataScan(SkippedFiles skipped, ImageFolderOptions options, CancellationToken cancel)
{
    private readonly List<FileSource> sources = [];
    private readonly List<List<SourceFile>> found = [];
    private readonly List<PictureSearch> searches = [];
    private readonly List<string> tops = []; // the folder of each source that classes begin behind
    private int masksLeftOut;

    /// <summary>All that some names lead to.</summary>
    /// <exception cref="ImageFolderException">Something is missing, or holds no picture.</exception>
    public ImageFolder Run(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            throw new ImageFolderException("There is no folder to look for pictures in.");
        var groups = names.Select(DataPaths.Open).ToArray();
        DataPaths.ThrowIfTwice([.. groups.SelectMany(group => group)]);
        foreach (var group in groups)
            Take(group);
        if (found.All(pictures => pictures.Count == 0))
            throw new ImageFolderException(searches[0].Nothing());

        string[] labels = SourceLabels.Of(sources);
        var remarks = new List<string>();
        var samples = new List<Sample>(found.Sum(pictures => pictures.Count));
        var classes = new List<string?>(samples.Capacity);
        for (int i = 0; i < sources.Count; i++)
        {
            var source = sources[i];
            string about = sources.Count == 1 ? "" : $"{RawName.Shown(labels[i].TrimEnd('/'))}: ";
            remarks.AddRange(source.Remarks.Select(remark => about + remark));
            foreach (var file in found[i])
            {
                string? of = source.NamesClasses ? file.Class : ClassFolders.FolderOf(file.Name, tops[i]);
                int pages = options.EveryPage ? Pages(source, file) : 0;
                for (int page = pages == 0 ? Sample.NoPage : 0; page < pages; page++)
                {
                    samples.Add(new Sample(i, file.Name, file.Place, page, file.Status.Length, file.Status.Modified));
                    classes.Add(of);
                }
            }
        }
        var numbered = new ClassFolders(classes);
        remarks.AddRange(numbered.Remarks);
        remarks.AddRange(FolderRemarks.Of([.. found.SelectMany((pictures, i) => Labelled(pictures, labels[i]))], sources.Count > 1));
        return new ImageFolder([.. sources], labels, [.. samples], numbered.Labels, numbered.Names, remarks)
        {
            MasksLeftOut = masksLeftOut,
        };
    }

    /// <summary>Takes in what one name stands for.</summary>
    private void Take(IReadOnlyList<FileSource> group)
    {
        var files = group.Select(source => source.Files(skipped, cancel)).ToArray();
        string top = group[0] is FolderSource ? "" : TopFolder.Of(Pictured(files));
        if (top.Length > 0 && !group[0].NamesClasses)
            group[0].Note($"all pictures lie in {RawName.Shown(top)}: classes are the folders in it");
        for (int i = 0; i < group.Count; i++)
        {
            var search = new PictureSearch(group[i], options.Patterns, top, skipped);
            var pictures = search.Among(files[i], cancel);
            if (pictures.Count == 0 && search.LeftOut == 0)
                throw new ImageFolderException(search.Nothing());
            if (!options.KeepMasks)
                pictures = WithoutMasks(group[i], pictures);
            sources.Add(group[i]);
            searches.Add(search);
            found.Add(pictures);
            tops.Add(top);
        }
    }

    private List<SourceFile> WithoutMasks(FileSource source, List<SourceFile> pictures)
    {
        var search = new MaskSearch(source);
        var others = search.Without(pictures, cancel);
        int count = pictures.Count - others.Count;
        if (count > 0)
            source.Note($"left out {count} files that look like masks ({search.Example}); `KeepMasks` takes them");
        masksLeftOut += count;
        return others;
    }

    /// <summary>The pages of a file that has several; 0 for any other.</summary>
    private int Pages(FileSource source, in SourceFile file)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            using var input = source.Open(file.Name, file.Place, 0);
            int count = TiffPicture.CountPages(input);
            return count > 1 ? count : 0;
        }
        catch (ImageDecodeException)
        {
            return 0; // said where it is read
        }
    }

    private static IEnumerable<SourceFile> Labelled(List<SourceFile> pictures, string label) =>
        label.Length == 0 ? pictures : pictures.Select(file => file with { Name = label + file.Name });

    private static List<string> Pictured(List<SourceFile>[] files)
    {
        var names = files.SelectMany(some => some).Select(file => file.Name);
        return names.Where(ImageFolder.IsNamedAsPicture).ToList() is { Count: > 0 } pictures ? pictures : [.. names];
    }
}
