using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Ops;
using Dino.Train.Evaluation.Features;
using Dino.Train.Log;

namespace Dino.Train.Evaluation.Retrieval;

/// <summary>What was reached on one kind of copies.</summary>
/// <param name="Block">The copies' folder.</param>
/// <param name="MeanAveragePrecision">mAP among the answers that were kept, 0 to 1.</param>
/// <param name="Queries">The number of copies.</param>
public readonly record struct CopyAccuracy(string Block, double MeanAveragePrecision, int Queries);

/// <summary>
/// Finding the originals of altered copies among distractors, in the layout of Copydays (paper, section 4.3.1): a folder <c>original</c>
/// beside
/// folders of copies. A copy belongs to the original of the same name, or else to those whose names begin with the same four characters.
/// </summary>
/// <remarks>Only the copies' features are kept; originals and distractors stream past them.</remarks>
/// <param name="backbone">The network, with its parameters on <paramref name="device"/>.</param>
/// <param name="device">Where to compute.</param>
/// <param name="size">Pixels along the side of the square that pictures are stretched to.</param>
/// <param name="batchSize">Pictures at a time.</param>
/// <param name="skipped">Takes in the files that cannot be read.</param>
public sealed class CopyDetectionRun(Backbone backbone, Device device, int size, int batchSize, SkippedFiles skipped)
{
    private const string Originals = "original";
    private const int Answers = 20, PrefixLength = 4;

    private static readonly FeatureKind kind = FeatureKind.CopyDetection;

    /// <summary>How stored values become inputs: 8 bits and ImageNet's mean and deviation unless said otherwise.</summary>
    public Preprocessing Preprocessing { get; init; } = new();

    /// <summary>How the pictures are loaded.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();

    /// <summary>Which files of the copies and originals are meant.</summary>
    public PicturePatterns Patterns { get; init; } = PicturePatterns.All;

    /// <summary>Evaluates every folder of copies.</summary>
    /// <param name="root">The folder that holds <c>original</c> and the copies.</param>
    /// <param name="distractors">Pictures that are nobody's original, or null.</param>
    /// <param name="whitening">Pictures to learn a whitening of the features from, or null.</param>
    /// <param name="progress">Shows how far the work is.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <exception cref="EvaluationException">A folder is missing, no copy has an original, or the features are not finite.</exception>
    public (IReadOnlyList<CopyAccuracy> Blocks, int Database) Evaluate(
        string root, ImageFolder? distractors, ImageFolder? whitening, ProgressDisplay progress, CancellationToken cancel = default)
    {
        string original = Path.Combine(root, Originals);
        if (FileStatus.Of(original).Kind != FileKind.Folder)
            throw new EvaluationException($"{root} has no folder '{Originals}': copies are compared with the pictures in it.");
        try
        {
            var originals = Scan(original, cancel);
            var blocks = Blocks(root, cancel);
            using var map = whitening is null ? null : Learn(whitening, progress, cancel);

            var names = new List<string>();
            var features = new List<float>();
            var ends = new List<int>();
            progress.Run("copies", blocks.Sum(block => block.Pictures.Count), tracker =>
            {
                foreach (var (_, pictures) in blocks)
                {
                    try
                    {
                        Stream(pictures, map, (batch, rows) =>
                        {
                            features.AddRange(rows);
                            foreach (int sample in batch)
                                names.Add(pictures.RelativePathOf(sample));
                            tracker.Report(names.Count);
                        }, cancel);
                    }
                    catch (ImageFolderException)
                    {
                        // None of its pictures can be read, and each was named: the other folders have theirs.
                    }
                    ends.Add(names.Count);
                }
            });
            if (names.Count == 0)
                throw new EvaluationException($"None of the copies of {root} can be read.");

            int dim = kind.Width(backbone), database = 0;
            var best = new BestAnswers(names.Count, Answers);
            var databaseNames = new List<string>();
            float[] all = [.. features];
            progress.Run("database", originals.Count + (distractors?.Count ?? 0), tracker =>
            {
                foreach (var (folder, isOriginal) in (IEnumerable<(ImageFolder, bool)>)(distractors is null ? [(originals, true)]
                    : [(originals, true), (distractors, false)]))
                {
                    Stream(folder, map, (batch, rows) =>
                    {
                        Compare(all, rows, names.Count, batch.Length, dim, best, database);
                        database += batch.Length;
                        if (isOriginal)
                        {
                            foreach (int sample in batch)
                                databaseNames.Add(folder.RelativePathOf(sample));
                        }
                        tracker.Report(database);
                    }, cancel);
                }
            });

            var result = new List<CopyAccuracy>();
            for (int block = 0, from = 0; block < blocks.Count; from = ends[block++])
            {
                double sum = 0;
                int counted = 0;
                for (int query = from; query < ends[block]; query++)
                {
                    var positives = Positives(names[query], databaseNames);
                    if (positives.Count == 0)
                    {
                        skipped.Report(Path.Combine(blocks[block].Pictures.Root, names[query]), $"it has no original: '{Originals}' "
                            + $"holds no picture of that name or first {PrefixLength} characters that can be read");
                        continue;
                    }
                    counted++;
                    sum += AveragePrecision.Of(
                        best.Of(query).Select((answer, rank) => (answer, rank)).Where(entry => positives.Contains(entry.answer))
                        .Select(entry => entry.rank), positives.Count);
                }
                result.Add(new CopyAccuracy(blocks[block].Name, sum / Math.Max(1, counted), counted));
            }
            if (result.All(block => block.Queries == 0))
                throw new EvaluationException($"None of the {names.Count} copies of {root} has an original in '{Originals}'.");
            return (result, database);
        }
        catch (Exception e) when (e is ImageFolderException or ArgumentException)
        {
            throw new EvaluationException(e.Message, e);
        }
    }

    /// <summary>
    /// Every folder below the root that holds pictures itself, other than the originals: strong, jpegqual/75, crops/10, …
    /// </summary>
    private List<(string Name, ImageFolder Pictures)> Blocks(string root, CancellationToken cancel)
    {
        var blocks = new List<(string Name, ImageFolder Pictures)>();
        var folders = FolderTree.Files(root, skipped, cancel).Select(file => file.Name[..Math.Max(0, file.Name.LastIndexOf('/'))])
            .Distinct();
        foreach (string name in folders.Where(name => name.Length > 0 && name.Split('/')[0] != Originals).Order(StringComparer.Ordinal))
            blocks.Add((name, Scan(Path.Combine(root, name), cancel)));
        return blocks.Count > 0 ? blocks : throw new EvaluationException($"{root} has no folder of copies beside '{Originals}'.");
    }

    // The set is what its makers made it: nothing of it is left out for its looks.
    private ImageFolder Scan(string folder, CancellationToken cancel) =>
        ImageFolder.Scan([folder], new ImageFolderOptions { Patterns = Patterns, KeepMasks = true }, skipped, cancel);

    private static HashSet<int> Positives(string copy, List<string> originals)
    {
        string stem = Path.GetFileNameWithoutExtension(copy);
        int same = originals.FindIndex(name => Path.GetFileNameWithoutExtension(name) == stem);
        if (same >= 0)
            return [same];
        string prefix = stem[..Math.Min(PrefixLength, stem.Length)];
        return [.. Enumerable.Range(0, originals.Count)
            .Where(i => Path.GetFileNameWithoutExtension(originals[i]).StartsWith(prefix, StringComparison.Ordinal))];
    }

    private Whitening Learn(ImageFolder pictures, ProgressDisplay progress, CancellationToken cancel)
    {
        var components = new PrincipalComponents(kind.Width(backbone));
        progress.Run("whitening", pictures.Count, tracker =>
        {
            FeatureExtractor.Stream(backbone, device, kind, pictures, Options(), skipped, (batch, rows) =>
            {
                using var scope = device.BeginArena();
                components.Add(Tensor.From(device, rows, new Shape(batch.Count, rows.Length / batch.Count)));
                tracker.Report(components.Count);
            }, cancel);
        });
        return new Whitening(device, components);
    }

    /// <summary>Hands on the features of a folder, whitened and with L2 norm 1.</summary>
    private void Stream(ImageFolder pictures, Whitening? map, RowsOf onRows, CancellationToken cancel) =>
        FeatureExtractor.Stream(backbone, device, kind, pictures, Options(), skipped, (batch, rows) =>
        {
            using var scope = device.BeginArena();
            var x = Tensor.From(device, rows, new Shape(batch.Count, rows.Length / batch.Count));
            onRows(batch.Samples, (map?.Apply(x) ?? x).L2Normalize().ToArray());
        }, cancel);

    private void Compare(float[] queries, float[] rows, int queryCount, int rowCount, int dim, BestAnswers best, int firstRow)
    {
        const int most = 4096; // queries at a time
        for (int from = 0; from < queryCount; from += most)
        {
            int count = Math.Min(most, queryCount - from);
            using var scope = device.BeginArena();
            var x = Tensor.From(device, queries.AsSpan(from * dim, count * dim), new Shape(count, dim));
            float[] similarities = x.MatMul(Tensor.From(device, rows, new Shape(rowCount, dim)), transposeB: true).ToArray();
            for (int i = 0; i < similarities.Length; i++)
                best.Add(from + i / rowCount, firstRow + i % rowCount, similarities[i]);
        }
    }

    private EvalLoaderOptions Options() => new()
    {
        View = EvalView.WholePicture,
        CropSize = size,
        BatchSize = batchSize,
        Preprocessing = Preprocessing,
        Prefetch = Prefetch
    };

    private delegate void RowsOf(ReadOnlySpan<int> samples, float[] rows);

    /// <summary>The most similar rows of each query, in descending order; of equal ones the first.</summary>
    private sealed class BestAnswers(int queries, int most)
    {
        private readonly float[] similarities = new float[queries * most];
        private readonly int[] rows = new int[queries * most], counts = new int[queries];

        public IEnumerable<int> Of(int query) => rows.Skip(query * most).Take(counts[query]);

        public void Add(int query, int row, float similarity)
        {
            int first = query * most, place = counts[query];
            if (place == most && !(similarity > similarities[first + most - 1]))
                return;
            if (place == most)
                place--;
            else
                counts[query]++;
            for (; place > 0 && similarities[first + place - 1] < similarity; place--)
                (similarities[first + place], rows[first + place]) = (similarities[first + place - 1], rows[first + place - 1]);
            (similarities[first + place], rows[first + place]) = (similarity, row);
        }
    }
}
