using System.Text;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>
/// A text file that names pictures: one path a line, from the list's folder on, and behind it, after a tab, its class; or, as ImageNet's
/// lists have it, after a space the number of its class. What begins with # is passed over.
/// </summary>
internal sealed class ListSource(string path) : FileSource(path)
{
    private const long MostBytes = 1 << 30;

    private readonly string folder = System.IO.Path.GetDirectoryName(path)!;

    /// <summary>Whether a file is a list by its name.</summary>
    public static bool IsNamedSo(string path) =>
        System.IO.Path.GetExtension(path).ToLowerInvariant() is ".txt" or ".lst";

    /// <inheritdoc/>
    public override string Kind => "The list";

    /// <inheritdoc/>
    public override List<SourceFile> Files(SkippedFiles skipped, CancellationToken cancel)
    {
        var files = new List<SourceFile>();
        var known = new HashSet<(string, ulong, ulong)>();
        int number = 0, twice = 0, missing = 0;
        string firstFault = "";
        foreach (string line in Lines())
        {
            cancel.ThrowIfCancellationRequested();
            number++;
            if (line.Length == 0 || line[0] == '#')
                continue;
            var (name, label, status, fault) = Parse(line);
            if (fault is not null)
            {
                skipped.Report(PathOf(name), $"{fault} (line {number} of {RawName.Shown(System.IO.Path.GetFileName(Path))})");
                if (missing++ == 0)
                    firstFault = $"{RawName.Shown(PathOf(name))}: {fault}";
                continue;
            }
            // One file can be written in several ways; behind a link, ../ leads to another.
            if (!known.Add((System.IO.Path.GetFullPath(PathOf(name)), status.Volume, status.Number)))
            {
                twice++;
                continue;
            }
            NamesClasses |= label is not null;
            files.Add(new SourceFile(name, status, status.IsLink, -1, label));
        }
        if (files.Count == 0)
            throw new ImageFolderException(missing == 0
                ? $"The list '{RawName.Shown(Path)}' names no picture: it needs one path a line."
                : $"'{RawName.Shown(Path)}' is a file that is read as a list of paths, and none of the {missing} that it names is a file "
                    + $"({firstFault}). Paths count from the folder of the list.");
        if (twice > 0)
            Note($"{twice} lines name a picture that an earlier line names: each counts once");
        return files;
    }

    /// <inheritdoc/>
    public override string PathOf(string name) => System.IO.Path.Combine(folder, name);

    /// <inheritdoc/>
    public override PictureInput Open(string name, int place, int page) => PictureInput.OfFile(PathOf(name), page);

    /// <summary>The lines without space around them.</summary>
    private IEnumerable<string> Lines()
    {
        byte[] bytes;
        try
        {
            bytes = RegularFile.ReadAllBytes(Path, MostBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ImageFolderException($"The list '{RawName.Shown(Path)}' cannot be read: {e.Message}", e);
        }
        if (bytes.AsSpan().StartsWith(Encoding.Unicode.Preamble)) // as a shell of Windows writes it
            bytes = Encoding.UTF8.GetBytes(Encoding.Unicode.GetString(bytes));
        else if (bytes.AsSpan().StartsWith(Encoding.BigEndianUnicode.Preamble))
            bytes = Encoding.UTF8.GetBytes(Encoding.BigEndianUnicode.GetString(bytes));
        int start = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        while (start < bytes.Length)
        {
            int length = bytes.AsSpan(start).IndexOf((byte)'\n');
            int end = length < 0 ? bytes.Length : start + length;
            yield return RawName.Of(bytes.AsSpan(start, end - start)).Trim();
            start = end + 1;
        }
    }

    private (string Name, string? Label, FileStatus Status, string? Fault) Parse(string line)
    {
        int tab = line.IndexOf('\t', StringComparison.Ordinal);
        if (tab > 0)
        {
            string label = line[(tab + 1)..].Trim();
            var (name, status, fault) = Look(line[..tab].TrimEnd());
            return (name, label.Length > 0 ? RawName.Shown(label) : null, status, fault);
        }
        var whole = Look(line);
        // A name may end in a number itself: the file decides.
        int space = line.LastIndexOf(' ');
        if (whole.Fault is null || space < 0 || line.AsSpan(space + 1).ContainsAnyExceptInRange('0', '9'))
            return (whole.Name, null, whole.Status, whole.Fault);
        var part = Look(line[..space].TrimEnd());
        return (part.Name, line[(space + 1)..], part.Status, part.Fault);
    }

    private (string Name, FileStatus Status, string? Fault) Look(string name)
    {
        if (name.StartsWith("./", StringComparison.Ordinal))
            name = name[2..];
        FileStatus status;
        try
        {
            status = FileStatus.Of(PathOf(name));
            // A list that was made on Windows.
            if (status.Kind == FileKind.Missing && name.Contains('\\', StringComparison.Ordinal)
                && name.Replace('\\', '/') is var other && FileStatus.Of(PathOf(other)) is { Kind: FileKind.Regular } found)
                (name, status) = (other, found);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (name, default, $"it cannot be looked at ({e.Message.TrimEnd('.')})");
        }
        return status.Kind switch
        {
            FileKind.Regular => (name, status, null),
            FileKind.Missing when !status.IsLink => (name, status, "there is no such file"),
            FileKind.Folder => (name, status, "it is a folder; a list names pictures"),
            _ => (name, status, $"it is {status.Description}"),
        };
    }
}
