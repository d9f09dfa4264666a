using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>The pictures among the files of one source.</summary>
/// <param name="source">The source.</param>
/// <param name="patterns">Which files are meant.</param>
/// <param name="top">The folder, with / at its end, that patterns count from; empty for the source itself.</param>
/// <param name="skipped">Takes in what is no picture.</param>
internal sealed class PictureSearch(FileSource source, PicturePatterns patterns, string top, SkippedFiles skipped)
{
    private readonly Dictionary<string, int> others = [];
    private readonly List<string> archives = [];

    /// <summary>How many files the patterns leave out.</summary>
    public int LeftOut { get; private set; }

    /// <summary>The pictures, in the order of the files.</summary>
    public List<SourceFile> Among(List<SourceFile> files, CancellationToken cancel)
    {
        var pictures = new List<SourceFile>(files.Count);
        foreach (var file in files)
        {
            cancel.ThrowIfCancellationRequested();
            if (!patterns.Match(file.Name.StartsWith(top, StringComparison.Ordinal) ? file.Name[top.Length..] : file.Name))
                LeftOut++;
            else if (ImageFolder.IsNamedAsPicture(file.Name) || !source.IsCompanion(file.Name) && IsPicture(file))
                pictures.Add(file);
        }
        // Of a folder of nothing else, one line says what to do with them.
        foreach (string archive in pictures.Count > 0 ? archives : [])
            skipped.Report(source.PathOf(archive), "it is an archive, which is read only where it is named itself");
        return pictures;
    }

    /// <summary>Why there is no picture, and what to do.</summary>
    public string Nothing()
    {
        string what = $"{source.Kind} '{RawName.Shown(source.Path)}'";
        if (LeftOut > 0)
            return $"{what} holds no picture that `Include` and `Exclude` choose: {LeftOut} files are left out by them.";
        if (others.Count > 0)
        {
            string kinds = string.Join(", ", others.OrderBy(entry => entry.Key, StringComparer.Ordinal)
                .Select(entry => $"{entry.Value} {entry.Key}"));
            return $"{what} holds no picture of {PictureSignature.Formats}, but others ({kinds}): convert them to PNG or JPEG.";
        }
        if (source is FolderSource && archives.Count > 0)
            return $"{what} holds no picture, but {archives.Count} archives: name them, and not the folder, as "
                + $"{RawName.Shown(ShardNames.Of(source.Path, archives))}.";
        return source is FolderSource
            ? $"{what} holds no picture: it needs files of {PictureSignature.Formats}, directly or in sub-folders."
            : $"{what} holds no picture that can be read: it needs files of {PictureSignature.Formats}{Example()}.";
    }

    private string Example()
    {
        var all = skipped.Snapshot();
        var (path, reason) = all.FirstOrDefault(entry => entry.Path.StartsWith(source.Path, StringComparison.Ordinal));
        return path is null ? "" : $" ({RawName.Shown(path)}: {reason.TrimEnd('.')})";
    }

    private bool IsPicture(in SourceFile file)
    {
        Span<byte> start = stackalloc byte[PictureSignature.LengthOfOthers];
        string path = source.PathOf(file.Name);
        string? other;
        try
        {
            using var input = source.Open(file.Name, file.Place, 0);
            int read = 0;
            while (read < start.Length && input.Read(start[read..], read) is > 0 and var count)
                read += count;
            start = start[..read];
            other = PictureSignature.IsTiff(start) ? TiffPicture.RawFormat(input) : PictureSignature.OtherPicture(start);
        }
        catch (ImageDecodeException e)
        {
            skipped.Report(path, e.Reason);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            skipped.Report(path, $"the file cannot be read ({e.Message.TrimEnd('.')})");
            return false;
        }
        if (other is null && PictureSignature.Matches(start, file.Name))
            return true;
        if (Path.GetExtension(file.Name).ToLowerInvariant() is ".tar" or ".zip")
        {
            archives.Add(file.Name);
            return false;
        }
        skipped.Report(path, other is null ? PictureSignature.Reason(start) : PictureSignature.NotRead(other));
        if (other is { } format)
            others[format] = others.GetValueOrDefault(format) + 1;
        return false;
    }
}
