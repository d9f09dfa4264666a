namespace Dino.Train.Evaluation.Segmentation;

/// <summary>The two measures of DAVIS between an object's mask and the annotated one (Perazzi et al. 2016, section 5).</summary>
public static class RegionMeasures
{
    private const double BoundaryTolerance = 0.008; // of the picture's diagonal

    /// <summary>J: intersection over union of the pixels with <paramref name="id"/>; 1 if neither has any.</summary>
    public static double Jaccard(ReadOnlySpan<byte> labels, ReadOnlySpan<byte> truth, byte id)
    {
        long both = 0, either = 0;
        for (int i = 0; i < truth.Length; i++)
        {
            bool a = labels[i] == id, b = truth[i] == id;
            both += a && b ? 1 : 0;
            either += a || b ? 1 : 0;
        }
        return either == 0 ? 1 : (double)both / either;
    }

    /// <summary>
    /// F: harmonic mean of the shares of the mask's boundary that lie near the annotated one, and of the annotated one near the mask's.
    /// Near is
    /// within 0.8 % of the diagonal, rounded up.
    /// </summary>
    public static double BoundaryF(ReadOnlySpan<byte> labels, ReadOnlySpan<byte> truth, int width, int height, byte id)
    {
        bool[] found = Boundary(labels, width, height, id), annotated = Boundary(truth, width, height, id);
        int radius = (int)Math.Ceiling(BoundaryTolerance * Math.Sqrt((double)width * width + (double)height * height));
        int foundCount = found.Count(edge => edge), annotatedCount = annotated.Count(edge => edge);
        if (foundCount == 0 || annotatedCount == 0)
            return foundCount == annotatedCount ? 1 : 0;
        double precision = (double)CountNear(found, annotated, width, height, radius) / foundCount;
        double recall = (double)CountNear(annotated, found, width, height, radius) / annotatedCount;
        return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    }

    /// <summary>
    /// Pixels that differ from the one to the right, the one below, or the one below to the right; none beyond the border.
    /// </summary>
    private static bool[] Boundary(ReadOnlySpan<byte> labels, int width, int height, byte id)
    {
        bool[] edges = new bool[width * height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = y * width + x, right = x + 1 < width ? 1 : 0, below = y + 1 < height ? width : 0;
                bool inside = labels[at] == id;
                edges[at] = inside != (labels[at + right] == id) || inside != (labels[at + below] == id)
                    || inside != (labels[at + right + below] == id);
            }
        }
        return edges;
    }

    /// <summary>How many pixels of one set lie within a disk of the radius around a pixel of the other.</summary>
    private static int CountNear(bool[] set, bool[] other, int width, int height, int radius)
    {
        int[] reach = new int[2 * radius + 1]; // half the width of the disk, by row
        for (int dy = -radius; dy <= radius; dy++)
            reach[dy + radius] = (int)Math.Sqrt(radius * radius - dy * dy);
        bool[] near = new bool[set.Length];
        for (int at = 0; at < other.Length; at++)
        {
            if (!other[at])
                continue;
            int x = at % width, y = at / width;
            for (int row = Math.Max(0, y - radius); row <= Math.Min(height - 1, y + radius); row++)
            {
                int half = reach[row - y + radius], left = Math.Max(0, x - half), right = Math.Min(width - 1, x + half);
                near.AsSpan(row * width + left, right - left + 1).Fill(true);
            }
        }
        int count = 0;
        for (int at = 0; at < set.Length; at++)
            count += set[at] && near[at] ? 1 : 0;
        return count;
    }
}
