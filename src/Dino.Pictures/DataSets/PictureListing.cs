using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>A picture of a listing.</summary>
/// <param name="Name">Its path below the folder, with /.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Modified">The time of its last modification, in seconds since 1970.</param>
/// <param name="Sha256">Of its content; null where it was not read.</param>
public sealed record ListedPicture(string Name, long Bytes, long Modified, string? Sha256);

/// <summary>
/// The files of a data set as they were found. Its <see cref="Identity"/> is what is compared; the listing itself is kept beside what was
/// made of
/// the pictures (<c>pictures.jsonl</c>, a line a picture), to name those that differ.
/// </summary>
public sealed class PictureListing
{
    /// <summary>The name of the file beside checkpoints and features.</summary>
    public const string FileName = "pictures.jsonl";

    /// <summary>
    /// Data sets of so many bytes are compared by their contents without being asked: reading them takes no time worth mentioning.
    /// </summary>
    public const long AlwaysRead = 64 << 20;

    // A listing of more would itself be as large as a checkpoint.
    private const int MostKept = 200_000;

    private static readonly JsonSerializerOptions json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly ListedPicture[] pictures;

    private PictureListing(ListedPicture[] pictures) => this.pictures = pictures;

    /// <summary>The files in the order of the samples.</summary>
    public IReadOnlyList<ListedPicture> Pictures => pictures;

    /// <summary>Lists the pictures of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="verify">Whether contents are read however large the data set is.</param>
    /// <param name="cancel">Stops between two files.</param>
    public static PictureListing Of(ImageFolder folder, bool verify = false, CancellationToken cancel = default)
    {
        var pictures = new ListedPicture[folder.Count];
        long bytes = 0;
        for (int i = 0; i < pictures.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var (length, modified) = folder.StampOf(i);
            pictures[i] = new(folder.RelativePathOf(i), length, (modified - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond, null);
            bytes += pictures[i].Bytes;
        }
        if (verify || bytes <= AlwaysRead)
        {
            Parallel.For(0, pictures.Length, new ParallelOptions { CancellationToken = cancel }, i =>
            {
                if (!folder.IsNextPage(i))
                    pictures[i] = pictures[i] with { Sha256 = ContentOf(folder, i, cancel) };
            });
            for (int i = 1; i < pictures.Length; i++)
            {
                if (folder.IsNextPage(i))
                    pictures[i] = pictures[i] with { Sha256 = pictures[i - 1].Sha256 };
            }
        }
        return new PictureListing(pictures);
    }

    /// <summary>What the data set is compared by.</summary>
    public DataIdentity Identity()
    {
        using IncrementalHash names = IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
            times = IncrementalHash.CreateHash(HashAlgorithmName.SHA256),
            contents = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] number = new byte[8];
        foreach (var picture in pictures)
        {
            names.AppendData(Encoding.UTF8.GetBytes(picture.Name + "\0"));
            BinaryPrimitives.WriteInt64LittleEndian(number, picture.Bytes);
            names.AppendData(number);
            BinaryPrimitives.WriteInt64LittleEndian(number, picture.Modified);
            times.AppendData(number);
            contents.AppendData(Encoding.UTF8.GetBytes(picture.Sha256 ?? ""));
        }
        return new DataIdentity
        {
            Pictures = pictures.Length,
            Bytes = pictures.Sum(picture => picture.Bytes),
            Names = Convert.ToHexStringLower(names.GetHashAndReset()),
            Times = Convert.ToHexStringLower(times.GetHashAndReset()),
            Contents = pictures.All(picture => picture.Sha256 is not null) ? Convert.ToHexStringLower(contents.GetHashAndReset()) : null,
        };
    }

    /// <summary>Writes the listing into a folder, unless it is too long to be of use.</summary>
    public void Write(string folder)
    {
        if (pictures.Length > MostKept)
            return;
        AtomicFile.Write(Path.Combine(folder, FileName), stream =>
        {
            foreach (var picture in pictures)
            {
                JsonSerializer.Serialize(stream, picture, json);
                stream.Write("\n"u8);
            }
        });
    }

    /// <summary>
    /// Names the pictures that differ from the listing of a folder: "3 of 24 have another time: a/1.png, a/2.png, …"; empty when that is
    /// not known.
    /// </summary>
    internal string Differences(string folder)
    {
        if (TryRead(folder) is not { } then)
            return "";
        var before = then.GroupBy(picture => picture.Name, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        var now = pictures.Select(picture => picture.Name).ToHashSet(StringComparer.Ordinal);
        (string What, IEnumerable<string> Names)[] kinds =
        [
            ("new", pictures.Where(picture => !before.ContainsKey(picture.Name)).Select(picture => picture.Name)),
            ("gone", then.Where(picture => !now.Contains(picture.Name)).Select(picture => picture.Name)),
            ("of another size", Changed((a, b) => a.Bytes != b.Bytes)),
            ("of another content", Changed((a, b) => a.Bytes == b.Bytes && a.Sha256 is not null && b.Sha256 is not null
                && a.Sha256 != b.Sha256)),
            ("of another time", Changed((a, b) => a.Bytes == b.Bytes && (a.Sha256 is null || b.Sha256 is null)
                && a.Modified != b.Modified)),
        ];
        return string.Join("; ", kinds.Select(kind => (kind.What, Names: kind.Names.ToArray())).Where(kind => kind.Names.Length > 0)
            .Select(kind =>
            $"{kind.Names.Length} {kind.What}: {string.Join(", ", kind.Names.Take(3))}{(kind.Names.Length > 3 ? ", …" : "")}"));

        IEnumerable<string> Changed(Func<ListedPicture, ListedPicture, bool> differs) =>
            pictures.Where(picture => before.TryGetValue(picture.Name, out var earlier) && differs(picture, earlier))
                .Select(picture => picture.Name);
    }

    private static List<ListedPicture>? TryRead(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            return [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<ListedPicture>(line, json)).OfType<ListedPicture>()];
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A file that cannot be read is one by that: training skips it too.
    private static string ContentOf(ImageFolder folder, int sample, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            using var input = folder.Open(sample);
            return FileHash.Of(input, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageDecodeException)
        {
            return "unreadable";
        }
    }
}
