using Dino.Tensors;
using Dino.Tensors.Ops;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.Neighbours;

/// <summary>
/// The nearest of many rows by cosine similarity, exactly: products and selection on the device, in pieces that fit a memory budget;
/// the best of all pieces are merged on the host.
/// </summary>
internal sealed class NearestNeighbours
{
    private const int MostQueries = 512; // enough to keep a device busy, few enough that the similarities of small sets stay in a cache
    private const long LeastBudget = 64L << 20, LargestBudget = 1L << 30;

    private readonly float[] pieceSimilarities, mergedSimilarities;
    private readonly int[] piecePlaces, mergedPlaces;
    private int found;

    private NearestNeighbours(int queries, int k, int queriesAtATime)
    {
        K = k;
        (Similarities, Indices) = (new float[queries * k], new int[queries * k]);
        (pieceSimilarities, piecePlaces) = (new float[queriesAtATime * k], new int[queriesAtATime * k]);
        (mergedSimilarities, mergedPlaces) = (new float[k], new int[k]);
    }

    /// <summary>Neighbours of each query.</summary>
    public int K { get; }

    /// <summary>(queries, K): cosine similarities, in descending order.</summary>
    public float[] Similarities { get; }

    /// <summary>(queries, K): which rows; of equally near ones the first.</summary>
    public int[] Indices { get; }

    /// <param name="device">Where to compute.</param>
    /// <param name="bank">The rows to choose from, at least k.</param>
    /// <param name="queries">The rows to find neighbours of.</param>
    /// <param name="k">How many.</param>
    /// <param name="budget">Bytes to use on the device; 0 for an eighth of its memory, 64 MiB to 1 GiB.</param>
    /// <param name="cancel">Stops between two pieces.</param>
    public static NearestNeighbours Find(
        Device device, FeatureSet bank, FeatureSet queries, int k, long budget = 0, CancellationToken cancel = default)
    {
        if (budget <= 0)
            budget = Math.Clamp(device.MemoryBytes / 8, LeastBudget, LargestBudget);
        int bankRows = Piece(budget / 2, 2L * bank.Dim, bank.Count); // as given and normalised, for a moment
        int queryRows = Piece(budget / 2, bankRows + 2L * bank.Dim + 4L * k, Math.Min(queries.Count, MostQueries));
        var result = new NearestNeighbours(queries.Count, k, queryRows);
        for (int first = 0; first < bank.Count; first += bankRows)
        {
            int count = Math.Min(bankRows, bank.Count - first);
            using var scope = device.BeginArena();
            var rows = Normalized(device, bank, first, count);
            for (int query = 0; query < queries.Count; query += queryRows)
            {
                cancel.ThrowIfCancellationRequested();
                result.Add(device, queries, query, Math.Min(queryRows, queries.Count - query), rows, first);
            }
            result.found = Math.Min(k, result.found + count);
        }
        return result;
    }

    private static int Piece(long bytes, long floatsEach, int rows) =>
        (int)Math.Clamp(bytes / (sizeof(float) * floatsEach), 1, Math.Max(1, rows));

    private static Tensor Normalized(Device device, FeatureSet set, int first, int count)
    {
        using var scope = device.BeginArena();
        return scope.Keep(Tensor.From(device, set.Rows(first, count), new Shape(count, set.Dim)).L2Normalize());
    }

    private void Add(Device device, FeatureSet queries, int firstQuery, int count, Tensor bank, int firstRow)
    {
        int k = Math.Min(K, bank.Shape[0]);
        using (device.BeginArena())
        {
            var similarities = Normalized(device, queries, firstQuery, count).MatMul(bank, transposeB: true);
            var (values, places) = similarities.TopK(k);
            values.CopyTo(pieceSimilarities.AsSpan(0, count * k));
            places.CopyTo(piecePlaces.AsSpan(0, count * k));
        }
        for (int i = 0; i < count; i++)
            Merge(firstQuery + i, pieceSimilarities.AsSpan(i * k, k), piecePlaces.AsSpan(i * k, k), firstRow);
    }

    private void Merge(int query, ReadOnlySpan<float> values, ReadOnlySpan<int> places, int firstRow)
    {
        var similarities = Similarities.AsSpan(query * K, K);
        var indices = Indices.AsSpan(query * K, K);
        int total = Math.Min(K, found + values.Length), old = 0, added = 0;
        for (int i = 0; i < total; i++)
        {
            // Rows found before have lower numbers, so they go first among equals.
            if (added >= values.Length || (old < found && similarities[old] >= values[added]))
            {
                (mergedSimilarities[i], mergedPlaces[i]) = (similarities[old], indices[old]);
                old++;
            }
            else
            {
                (mergedSimilarities[i], mergedPlaces[i]) = (values[added], firstRow + places[added]);
                added++;
            }
        }
        mergedSimilarities.AsSpan(0, total).CopyTo(similarities);
        mergedPlaces.AsSpan(0, total).CopyTo(indices);
    }
}
