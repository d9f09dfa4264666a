using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Train.Data;

namespace Dino.Train.Eval;

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
/// The features of a folder's pictures as <c>features.npy</c>, (rows, D), and <c>features.csv</c>, which names the picture of each row. Until they
/// are whole they end in <c>.part</c>; a run that was stopped goes on behind the last whole row.
/// </summary>
public sealed class FeatureDump
{
    private const string Part = ".part", CsvHeader = "row,path,class";
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly FeatureDumpOrigin origin;

    /// <summary>Opens a folder of features, or begins one.</summary>
    /// <param name="folder">Where; made when missing.</param>
    /// <param name="origin">What the features are made of.</param>
    /// <exception cref="UserErrorException">The folder holds features of something else; nothing was changed.</exception>
    public FeatureDump(string folder, FeatureDumpOrigin origin)
    {
        Directory.CreateDirectory(folder);
        this.origin = origin;
        (NpyPath, CsvPath, OriginPath) = (Path.Combine(folder, "features.npy"), Path.Combine(folder, "features.csv"), Path.Combine(folder, "features.json"));
        if (File.Exists(OriginPath))
        {
            if (ReadOrigin() is var found && found != origin)
                throw new UserErrorException($"{folder} holds other features: {Difference(found)}. Choose another --output-dir.");
        }
        else if (File.Exists(NpyPath) || File.Exists(CsvPath))
        {
            throw new UserErrorException($"{folder} holds features of unknown origin ({OriginPath} is missing). Choose another --output-dir.");
        }
        else
        {
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
        VisionTransformer backbone, Device device, FeatureKind kind, ImageFolder pictures, EvalLoaderOptions options, SkippedFiles skipped,
        Action<int>? onBatch = null, CancellationToken cancel = default)
    {
        int kept, rows, next;
        using (var npy = new FileStream(NpyPath + Part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read))
        using (var csv = new FileStream(CsvPath + Part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read))
        {
            (kept, next) = Recover(npy, csv, pictures);
            rows = kept;
            onBatch?.Invoke(next);
            if (next < pictures.Count)
            {
                FeatureExtractor.Stream(backbone, device, kind, pictures, options with { FirstSample = next }, skipped, (batch, values) =>
                {
                    var lines = new StringBuilder();
                    foreach (int sample in batch.Samples)
                    {
                        string? label = pictures.LabelOf(sample) is >= 0 and var number ? pictures.ClassNames[number] : null;
                        lines.Append(FormattableString.Invariant($"{rows++},{Quoted(pictures.RelativePathOf(sample))},{Quoted(label ?? "")}\n"));
                    }
                    npy.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values));
                    npy.Flush();
                    csv.Write(Encoding.UTF8.GetBytes(lines.ToString())); // a row without its line is made again
                    csv.Flush();
                    onBatch?.Invoke(batch.Samples[^1] + 1);
                }, cancel);
            }
            npy.Position = 0;
            npy.Write(NpyFile.FloatHeader(rows, origin.Dim));
            npy.Flush(flushToDisk: true);
            csv.Flush(flushToDisk: true);
        }
        File.Move(NpyPath + Part, NpyPath, overwrite: true);
        File.Move(CsvPath + Part, CsvPath, overwrite: true);
        return (kept, rows);
    }

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

    private string Difference(FeatureDumpOrigin? found)
    {
        if (found is null)
            return $"{OriginPath} cannot be read";
        (string Name, object Theirs, object Ours)[] all =
        [
            ("weights", found.Weights, origin.Weights), ("network", found.Network, origin.Network), ("feature", found.Feature, origin.Feature),
            ("width", found.Dim, origin.Dim), ("picture size", found.Size, origin.Size), ("number of pictures", found.Pictures, origin.Pictures),
            ("list of pictures", found.Listing, origin.Listing),
        ];
        return string.Join(", ", all.Where(entry => !entry.Theirs.Equals(entry.Ours)).Select(entry => $"their {entry.Name} is {entry.Theirs}, not {entry.Ours}"));
    }
}
