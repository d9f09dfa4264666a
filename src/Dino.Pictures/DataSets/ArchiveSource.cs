using System.Text;
using Dino.Pictures.Archives;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>
/// A zip or tar archive, read in place. Where files of one name but for what follows its first dot belong together, as in shards of
/// WebDataset, <c>key.cls</c> names the class of the pictures <c>key.*</c>.
/// </summary>
internal sealed class ArchiveSource(string path, bool isZip) : FileSource(path)
{
    private const int LongestClass = 1024;

    private ArchiveFile file = null!;
    private ArchiveMember[] members = [];
    private HashSet<string> keys = [];

    /// <inheritdoc/>
    public override string Kind => "The archive";

    /// <inheritdoc/>
    public override List<SourceFile> Files(SkippedFiles skipped, CancellationToken cancel)
    {
        try
        {
            var status = FileStatus.Of(Path);
            file = new ArchiveFile(Path, isZip, status.Length, status.Modified);
            using var handle = RegularFile.Open(Path);
            var listing = isZip ? ZipListing.Of(handle, Skip, cancel) : TarListing.Of(handle, Skip, cancel);
            members = listing.Members;
            foreach (string remark in listing.Remarks)
                Note(remark);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ImageFolderException($"The archive '{RawName.Shown(Path)}' cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
        var classes = Classes(skipped, cancel);
        keys = [.. members.Where(member => ImageFolder.IsNamedAsPicture(member.Name)).Select(member => KeyOf(member.Name))];
        var files = new List<SourceFile>(members.Length);
        for (int i = 0; i < members.Length; i++)
        {
            var status = new FileStatus(FileKind.Regular, members[i].Length, members[i].Modified, 0, 0, 1, false);
            files.Add(new SourceFile(members[i].Name, status, false, i, classes?.GetValueOrDefault(KeyOf(members[i].Name))));
        }
        return files;

        void Skip(string name, string reason) => skipped.Report(PathOf(name), reason);
    }

    /// <inheritdoc/>
    public override string PathOf(string name) => $"{Path}/{name}";

    /// <inheritdoc/>
    public override PictureInput Open(string name, int place, int page) => file.Open(members[place], PathOf(name), page);

    /// <inheritdoc/>
    public override bool IsCompanion(string name) =>
        EndingOf(name) is "cls" or "json" or "txt" && (EndingOf(name) == "cls" || keys.Contains(KeyOf(name)));

    /// <summary>The classes that files <c>key.cls</c> name, by key; null without such files.</summary>
    private Dictionary<string, string>? Classes(SkippedFiles skipped, CancellationToken cancel)
    {
        Dictionary<string, string>? classes = null;
        for (int i = 0; i < members.Length; i++)
        {
            if (EndingOf(members[i].Name) != "cls")
                continue;
            cancel.ThrowIfCancellationRequested();
            NamesClasses = true;
            classes ??= new(StringComparer.Ordinal);
            if (ClassIn(members[i], out string reason) is { } name)
                classes[KeyOf(members[i].Name)] = name;
            else
                skipped.Report(PathOf(members[i].Name), reason);
        }
        return classes;
    }

    private string? ClassIn(in ArchiveMember member, out string reason)
    {
        reason = $"it names no class: it has {member.Length} bytes";
        if (member.Length is 0 or > LongestClass)
            return null;
        try
        {
            using var input = file.Open(member, PathOf(member.Name));
            byte[] bytes = new byte[member.Length];
            PictureLimits.Fill(input, bytes);
            string name = RawName.Shown(RawName.Of(bytes)).Trim();
            reason = "it names no class";
            return name.Length > 0 && !name.Any(char.IsControl) ? name : null;
        }
        catch (ImageDecodeException e)
        {
            reason = e.Reason;
            return null;
        }
    }

    /// <summary>What a file shares with those that belong to it: its name up to the first dot.</summary>
    private static string KeyOf(string name) =>
        name.IndexOf('.', name.LastIndexOf('/') + 1) is >= 0 and var dot ? name[..dot] : name;

    /// <summary>What follows the first dot of a name.</summary>
    private static string EndingOf(string name) =>
        name.IndexOf('.', name.LastIndexOf('/') + 1) is >= 0 and var dot ? name[(dot + 1)..] : "";
}
