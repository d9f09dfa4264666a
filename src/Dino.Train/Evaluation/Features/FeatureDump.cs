using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Train.Runs;

namespace Dino.Train.Evaluation.Features;

/// <summary>What features were made of: a run goes on only where all of it is the same.</summary>
/// <param name="Weights">SHA-256 of the file of weights.</param>
/// <param name="Network">Which of its networks.</param>
/// <param name="Feature">What was taken from it.</param>
/// <param name="Dim">The length of a feature.</param>
/// <param name="Size">Pixels along the side of the square pictures.</param>
/// <param name="Pictures">The number of files.</param>
/// <param name="Listing">SHA-256 of their relative paths.</param>
public sealed record FeatureDumpOrigin(string Weights, string Network, string Feature, int Dim, int Size, int Pictures, string Listing)
{
    /// <summary>The network as it was read: sizes, heads, and whether the file was allowed to fit in part.</summary>
    public string? Architecture { get; init; }

    /// <summary>What its products multiply.</summary>
    public string? Precision { get; init; }

    /// <summary>The most pixels of a picture, larger ones being left out; null for <see cref="ImageDecoder.DefaultMaxPixels"/>.</summary>
    public int? MaxPixels { get; init; }

    /// <summary>
    /// How stored values became the network's inputs; null for pictures of 8 bits, read exactly, with ImageNet's mean and deviation.
    /// </summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>What the pictures are compared by, beside their paths.</summary>
    public DataIdentity? Data { get; init; }

    /// <summary>SHA-256 of the relative paths of a folder's pictures.</summary>
    internal static string ListingOf(ImageFolder folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < folder.Count; i++)
            hash.AppendData(Encoding.UTF8.GetBytes(folder.RelativePathOf(i) + "\0"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>
/// The features of a folder's pictures as <c>features.npy</c>, (rows, D), and <c>features.csv</c>, which names the picture of each row.
/// Until they
/// are whole they end in <c>.part</c>; a run that was stopped goes on behind the last whole row.
/// </summary>
public sealed class FeatureDump : IDisposable
{
    private const string Part = ".part", CsvHeader = "row,path,class";
    private static readonly TimeSpan mostLost = TimeSpan.FromSeconds(3);

    private static readonly JsonSerializerOptions json = new()
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter() },
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly FeatureDumpOrigin origin;
    private readonly FolderLock hold;

    /// <summary>Opens a folder of features, or begins one.</summary>
    /// <param name="folder">Where; made when missing.</param>
    /// <param name="origin">What the features are made of.</param>
    /// <param name="listing">The pictures, to name those that differ; kept beside the features.</param>
    /// <exception cref="EvaluationException">
    /// The folder holds features of something else, which were not changed, or another process uses it.
    /// </exception>
    public FeatureDump(string folder, FeatureDumpOrigin origin, PictureListing? listing = null)
    {
        this.origin = origin;
        (NpyPath, CsvPath, OriginPath) = (Path.Combine(folder, "features.npy"), Path.Combine(folder, "features.csv"),
            Path.Combine(folder, "features.json"));
        hold = FolderLock.Acquire(folder);
        try
        {
            Open(folder, listing);
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    private void Open(string folder, PictureListing? listing)
    {
        string[] ours = [NpyPath, CsvPath, OriginPath, Path.Combine(folder, PictureListing.FileName)];
        AtomicFile.RemoveLeftovers(folder, name => ours.Any(path => Path.GetFileName(path) == name));
        if (File.Exists(OriginPath) && !IsWithoutRows)
        {
            if (ReadOrigin() is var found && !IsSame(found))
                throw new EvaluationException(
                    $"{folder} holds other features: {Difference(found, listing, folder)}. Choose another `OutputDir`, or remove the "
                        + $"folder to make them anew.");
        }
        else if (File.Exists(NpyPath) || File.Exists(CsvPath))
        {
            throw new EvaluationException($"{folder} holds features of unknown origin ({OriginPath} is missing). Choose another "
                + $"`OutputDir`.");
        }
        else
        {
            listing?.Write(folder);
            AtomicFile.Write(OriginPath, stream => JsonSerializer.Serialize(stream, origin, json));
        }
    }

    /// <summary>The features.</summary>
    public string NpyPath { get; }

    /// <summary>Row, path and class of each.</summary>
    public string CsvPath { get; }

    /// <summary>What they were made of.</summary>
    public string OriginPath { get; }

    /// <summary>Whether all features are there.</summary>
    public bool IsDone => File.Exists(NpyPath) && File.Exists(CsvPath);

    /// <summary>Makes the features that are still missing.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="kind">What is taken from it.</param>
    /// <param name="pictures">The pictures.</param>
    /// <param name="options">How they are prepared.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <param name="onBatch">Is told how many pictures are done, those of earlier runs and unreadable ones included.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <returns>Rows of earlier runs, and all rows.</returns>
    /// <exception cref="ArgumentException">A feature is not finite.</exception>
    /// <exception cref="ImageFolderException">No file is readable.</exception>
    public (int Kept, int Rows) Run(
        Backbone backbone, Device device, FeatureKind kind, ImageFolder pictures, EvalLoaderOptions options, SkippedFiles skipped,
        Action<int>? onBatch = null, CancellationToken cancel = default)
    {
        int kept, rows, next;
        using (var npy = new FileStream(NpyPath + Part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read))
        using (var csv = new FileStream(CsvPath + Part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read))
        {
            (kept, next) = Recover(npy, csv, pictures);
            rows = kept;
            onBatch?.Invoke(next);
            var lines = new StringBuilder();
            var waiting = Stopwatch.StartNew();
            // A line says that its row is whole, also after a power cut; a row without a line is made again.
            void Commit()
            {
                DurableFile.Sync(npy);
                csv.Write(Encoding.UTF8.GetBytes(lines.ToString()));
                csv.Flush();
                lines.Clear();
                waiting.Restart();
            }
            if (next < pictures.Count)
            {
                try
                {
                    FeatureExtractor.Stream(backbone, device, kind, pictures, options with { FirstSample = next }, skipped,
                        (batch, values) =>
                    {
                        foreach (int sample in batch.Samples)
                        {
                            string? label = pictures.LabelOf(sample) is >= 0 and var number ? pictures.ClassNames[number] : null;
                            lines.Append(FormattableString.Invariant(
                                $"{rows++},{Quoted(pictures.RelativePathOf(sample))},{Quoted(label ?? "")}\n"));
                        }
                        npy.Write(MemoryMarshal.AsBytes(values));
                        if (waiting.Elapsed > mostLost)
                            Commit();
                        onBatch?.Invoke(batch.Samples[^1] + 1);
                    }, cancel);
                }
                catch (OperationCanceledException)
                {
                    Commit();
                    throw;
                }
            }
            Commit();
            npy.Position = 0;
            npy.Write(NpyFile.FloatHeader(rows, origin.Dim));
            DurableFile.Sync(npy);
            DurableFile.Close(npy);
            DurableFile.Sync(csv);
            DurableFile.Close(csv);
        }
        DurableFile.Rename(NpyPath + Part, NpyPath);
        DurableFile.Rename(CsvPath + Part, CsvPath);
        return (kept, rows);
    }

    // As it is left where no picture could be read: there is nothing in it that another origin could belong to.
    private bool IsWithoutRows =>
        !File.Exists(NpyPath) && !File.Exists(CsvPath)
            && (!File.Exists(CsvPath + Part) || new FileInfo(CsvPath + Part).Length <= CsvHeader.Length + 1);

    /// <summary>Gives the folder free for others.</summary>
    public void Dispose() => hold.Dispose();

    /// <summary>Cuts both files back to the rows that both have; how many those are, and the first sample behind them.</summary>
    private (int Rows, int Next) Recover(FileStream npy, FileStream csv, ImageFolder pictures)
    {
        long whole = Math.Max(0, npy.Length - NpyFile.HeaderLength) / (sizeof(float) * (long)origin.Dim);
        int rows = 0, next = 0;
        long csvEnd = 0;
        var places = new Dictionary<string, int>(pictures.Count, StringComparer.Ordinal);
        for (int i = 0; i < pictures.Count; i++)
            places[pictures.RelativePathOf(i)] = i;
        bool header = true;
        foreach (var (fields, end) in Records(csv))
        {
            if (header)
            {
                if (string.Join(',', fields) != CsvHeader)
                    break;
                header = false;
            }
            else if (rows == whole || fields.Length != 3 || !places.TryGetValue(fields[1], out int sample))
            {
                break;
            }
            else
            {
                rows++;
                next = sample + 1;
            }
            csvEnd = end;
        }
        csv.SetLength(csvEnd);
        csv.Position = csvEnd;
        if (csvEnd == 0)
            csv.Write(Encoding.UTF8.GetBytes(CsvHeader + "\n"));
        npy.SetLength(NpyFile.HeaderLength + rows * (long)origin.Dim * sizeof(float));
        npy.Position = npy.Length;
        return (rows, next);
    }

    /// <summary>The whole records of a CSV file (RFC 4180), each with the offset behind it.</summary>
    private static IEnumerable<(string[] Fields, long End)> Records(FileStream csv)
    {
        csv.Position = 0;
        var fields = new List<string>();
        var field = new List<byte>();
        bool quoted = false;
        var bytes = new BufferedStream(csv, 1 << 16); // not disposed of: the file goes on
        long at = 0;
        for (int value = bytes.ReadByte(); value >= 0; value = bytes.ReadByte())
        {
            at++;
            if (value == '"')
            {
                // A doubled quote closes and opens again; the quote itself then belongs to the text.
                if (!quoted && field.Count > 0)
                    field.Add((byte)'"');
                quoted = !quoted;
            }
            else if (quoted || value is not (',' or '\n'))
            {
                field.Add((byte)value);
            }
            else
            {
                fields.Add(Encoding.UTF8.GetString([.. field]));
                field.Clear();
                if (value == '\n')
                {
                    yield return ([.. fields], at);
                    fields.Clear();
                }
            }
        }
    }

    private static string Quoted(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    private FeatureDumpOrigin? ReadOrigin()
    {
        try
        {
            using var stream = File.OpenRead(OriginPath);
            return JsonSerializer.Deserialize<FeatureDumpOrigin>(stream, json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // A copy of the pictures has other times, and its contents say that it is one.
    private bool IsSame(FeatureDumpOrigin? found) =>
        found is not null && found with { Data = null } == origin with { Data = null }
        && (found.Data is null ? origin.Data is null : origin.Data is not null
            && origin.Data.Since(found.Data) is DataChange.None or DataChange.TimesAlone);

    private static string Decode(FeatureDumpOrigin of) => (of.Preprocessing?.Decode ?? default).ToString().ToLowerInvariant();

    private static string Range(FeatureDumpOrigin of) => of.Preprocessing?.Range is { } range
        ? FormattableString.Invariant($"{range.Low},{range.High}") : "none";

    private string Difference(FeatureDumpOrigin? found, PictureListing? listing, string folder)
    {
        if (found is null)
            return $"{OriginPath} cannot be read";
        if ((found.Architecture, found.Precision, found.Data) == (null, null, null) && origin.Data is not null)
            return $"{OriginPath} is of an older version, which did not note sizes, times and contents of the pictures";
        (string Name, object? Theirs, object? Ours)[] all =
        [
            ("weights", found.Weights, origin.Weights), ("network", found.Network, origin.Network),
                ("architecture", found.Architecture, origin.Architecture),
            ("precision", found.Precision, origin.Precision), ("feature", found.Feature, origin.Feature), ("width", found.Dim, origin.Dim),
            ("picture size", found.Size, origin.Size), ("number of pictures", found.Pictures, origin.Pictures),
            ("list of pictures", found.Listing, origin.Listing),
            ("`Decode`", Decode(found), Decode(origin)), ("`Range`", Range(found), Range(origin)),
            ("`MaxMegapixels`", ResumeCheck.Megapixels(found.MaxPixels), ResumeCheck.Megapixels(origin.MaxPixels)),
        ];
        var differences = all.Where(entry => !Equals(entry.Theirs, entry.Ours))
            .Select(entry => $"their {entry.Name} is {entry.Theirs}, not {entry.Ours}").ToList();
        if (found.Data is { } then && origin.Data?.Since(then) is { } change and not (DataChange.None or DataChange.TimesAlone))
        {
            string what = change switch
            {
                DataChange.Times => "the pictures have other times than then (if this is a copy, `Verify` compares the contents, where "
                    + "they were noted)",
                DataChange.Contents => "the pictures have other contents than then",
                _ => "the pictures are others than then",
            };
            differences.Add(listing?.Differences(folder) is { Length: > 0 } names ? $"{what}: {names}" : what);
        }
        return string.Join(", ", differences);
    }
}
