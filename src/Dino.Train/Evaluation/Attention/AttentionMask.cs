namespace Dino.Train.Evaluation.Attention;

/// <summary>Masks from attention, and how well they fit objects (paper Fig. 4 and appendix D).</summary>
public static class AttentionMask
{
    /// <summary>
    /// The patches that hold the given share of each head's attention: sorted in ascending order, normalised, cumulated with the patch
    /// itself included, and kept where the sum exceeds 1 − <paramref name="mass"/>.
    /// </summary>
    /// <param name="attention">Attention of the CLS query to the patches (H, N), the CLS key left out; non-negative.</param>
    /// <param name="heads">H.</param>
    /// <param name="mass">Share of the attention that is kept, 0 to 1; the paper's is 0.6.</param>
    /// <returns>(H, N): whether the patch is kept.</returns>
    /// <remarks>Sums are in float64, as in the reference; of equal patches the later one is kept first (a stable sort).</remarks>
    public static bool[] AttentionMassMask(ReadOnlySpan<float> attention, int heads, double mass)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        if (mass is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(mass), mass, "The share of attention to keep lies between 0 and 1.");
        if (attention.Length % heads != 0)
            throw new ArgumentException($"{attention.Length} values of attention do not divide among {heads} heads.", nameof(attention));
        int patches = attention.Length / heads;
        bool[] mask = new bool[attention.Length];
        float[] ranked = new float[patches];
        int[] order = new int[patches];
        for (int head = 0; head < heads; head++)
        {
            var row = attention.Slice(head * patches, patches);
            Rank(row, ranked, order);
            double total = 0, cumulated = 0;
            foreach (float value in ranked)
                total += value;
            for (int i = 0; i < patches; i++)
            {
                cumulated += ranked[i] / total;
                mask[head * patches + order[i]] = cumulated > 1 - mass;
            }
        }
        return mask;
    }

    /// <summary>Repeats each patch's value over its patch × patch pixels: (H, rows, cols) to (H, rows·patch, cols·patch).</summary>
    public static T[] UpsampleNearest<T>(ReadOnlySpan<T> maps, int heads, int rows, int columns, int patch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(patch);
        if (maps.Length != heads * rows * columns)
            throw new ArgumentException($"{maps.Length} values are not {heads} maps of {rows}×{columns}.", nameof(maps));
        int width = columns * patch;
        var pixels = new T[heads * rows * patch * width];
        for (int row = 0; row < heads * rows; row++)
        {
            var first = pixels.AsSpan(row * patch * width, width);
            for (int column = 0; column < columns; column++)
                first.Slice(column * patch, patch).Fill(maps[row * columns + column]);
            for (int y = 1; y < patch; y++)
                first.CopyTo(pixels.AsSpan((row * patch + y) * width, width));
        }
        return pixels;
    }

    /// <summary>Intersection over union of two masks of the same size; 0 when both are empty.</summary>
    public static double Jaccard(ReadOnlySpan<bool> a, ReadOnlySpan<bool> b)
    {
        if (a.Length != b.Length)
            throw new ArgumentException($"Masks of {a.Length} and {b.Length} pixels cannot be compared.", nameof(b));
        int both = 0, either = 0;
        for (int i = 0; i < a.Length; i++)
        {
            both += a[i] && b[i] ? 1 : 0;
            either += a[i] || b[i] ? 1 : 0;
        }
        return either == 0 ? 0 : (double)both / either;
    }

    /// <summary>The Jaccard index of every object with every head's mask.</summary>
    /// <param name="masks">(H, pixels).</param>
    /// <param name="heads">H.</param>
    /// <param name="objects">The object that each pixel shows; 0 is background.</param>
    /// <returns>For each id present, in ascending order, its index with each head.</returns>
    public static (long[] Ids, double[,] Table) JaccardTable(ReadOnlySpan<bool> masks, int heads, ReadOnlySpan<long> objects)
    {
        if (masks.Length != heads * objects.Length)
            throw new ArgumentException($"{masks.Length} mask pixels are not {heads} heads of {objects.Length} pixels.", nameof(masks));
        var present = new SortedSet<long>();
        foreach (long id in objects)
        {
            if (id != 0)
                present.Add(id);
        }
        long[] ids = [.. present];
        var table = new double[ids.Length, heads];
        bool[] thing = new bool[objects.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            for (int pixel = 0; pixel < thing.Length; pixel++)
                thing[pixel] = objects[pixel] == ids[i];
            for (int head = 0; head < heads; head++)
                table[i, head] = Jaccard(masks.Slice(head * objects.Length, objects.Length), thing);
        }
        return (ids, table);
    }

    /// <summary>For each object in ascending order of its id, the Jaccard index of the head that fits it best.</summary>
    /// <inheritdoc cref="JaccardTable" />
    public static double[] BestHeadJaccard(ReadOnlySpan<bool> masks, int heads, ReadOnlySpan<long> objects)
    {
        var (ids, table) = JaccardTable(masks, heads, objects);
        double[] best = new double[ids.Length];
        for (int i = 0; i < best.Length; i++)
        {
            for (int head = 0; head < heads; head++)
                best[i] = Math.Max(best[i], table[i, head]);
        }
        return best;
    }

    /// <summary>Fills the values in ascending order and where each came from; equal values keep their order.</summary>
    private static void Rank(ReadOnlySpan<float> values, float[] ranked, int[] order)
    {
        values.CopyTo(ranked);
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        // Array.Sort may swap equal keys; the pair (value, place) has no equals.
        Array.Sort(order, (a, b) => ranked[a] != ranked[b] ? ranked[a].CompareTo(ranked[b]) : a.CompareTo(b));
        for (int i = 0; i < order.Length; i++)
            ranked[i] = values[order[i]];
    }
}
