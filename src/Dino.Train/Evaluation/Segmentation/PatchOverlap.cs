namespace Dino.Train.Evaluation.Segmentation;

/// <summary>
/// How many pixels of each object lie in each patch of a picture: what intersections and unions of objects with masks made of whole
/// patches are sums of. A mask counts at the resolution of the objects, each pixel taking the patch that covers it.
/// </summary>
internal sealed class PatchOverlap
{
    private readonly int[] patchPixels, objectPixels, overlap;
    private readonly byte[] ids;

    /// <summary>Counts.</summary>
    /// <param name="objects">(height, width): the object that each pixel shows; 0 is background.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="rows">Patches from top to bottom; they cover the whole picture.</param>
    /// <param name="columns">Patches from left to right.</param>
    public PatchOverlap(ReadOnlySpan<byte> objects, int width, int height, int rows, int columns)
    {
        if (objects.Length != width * height)
            throw new ArgumentException($"{objects.Length} ids are not {width} × {height} pixels.", nameof(objects));
        Span<bool> present = stackalloc bool[256];
        foreach (byte id in objects)
            present[id] = true;
        Span<int> place = stackalloc int[256];
        var found = new List<byte>();
        for (int id = 1; id < 256; id++)
        {
            place[id] = found.Count;
            if (present[id])
                found.Add((byte)id);
        }
        ids = [.. found];
        (patchPixels, objectPixels, overlap) = (new int[rows * columns], new int[ids.Length], new int[ids.Length * rows * columns]);
        for (int y = 0; y < height; y++)
        {
            int patchRow = (int)((long)y * rows / height) * columns;
            for (int x = 0; x < width; x++)
            {
                int patch = patchRow + (int)((long)x * columns / width);
                patchPixels[patch]++;
                byte id = objects[y * width + x];
                if (id == 0)
                    continue;
                objectPixels[place[id]]++;
                overlap[place[id] * patchPixels.Length + patch]++;
            }
        }
    }

    /// <summary>The ids of the objects, ascending.</summary>
    public IReadOnlyList<byte> Ids => ids;

    /// <summary>The Jaccard index of an object, by its place in <see cref="Ids"/>, with a mask of patches (rows, columns).</summary>
    public double Jaccard(int place, ReadOnlySpan<bool> mask) => Jaccard(place, place + 1, mask);

    /// <summary>The Jaccard index of all objects taken as one with a mask of patches (rows, columns); 0 without objects.</summary>
    public double Foreground(ReadOnlySpan<bool> mask) => Jaccard(0, ids.Length, mask);

    private double Jaccard(int from, int to, ReadOnlySpan<bool> mask)
    {
        if (mask.Length != patchPixels.Length)
            throw new ArgumentException($"A mask of {mask.Length} patches does not cover {patchPixels.Length}.", nameof(mask));
        long both = 0, either = 0;
        for (int place = from; place < to; place++)
        {
            either += objectPixels[place];
            for (int patch = 0; patch < mask.Length; patch++)
                both += mask[patch] ? overlap[place * mask.Length + patch] : 0;
        }
        for (int patch = 0; patch < mask.Length; patch++)
            either += mask[patch] ? patchPixels[patch] : 0;
        either -= both;
        return either == 0 ? 0 : (double)both / either;
    }
}
