using Dino.Train.Evaluation.Attention;

namespace Dino.Train.Evaluation.Segmentation;

/// <summary>What the masks of a share of the attention reached over the pictures so far.</summary>
/// <param name="Mass">The share of the attention inside a mask.</param>
/// <param name="BestHead">
/// For each object the best head, averaged over the objects of a picture, then over pictures: the paper's figure 4.
/// </param>
/// <param name="FixedHead">The same with one head for all pictures, the best such.</param>
/// <param name="Head">Which head that is, from 1.</param>
/// <param name="MeanOfHeads">The same with the mask of the heads' mean attention.</param>
/// <param name="ForegroundBestHead">All objects of a picture taken as one: the best head.</param>
/// <param name="ForegroundMeanOfHeads">All objects of a picture taken as one: the mask of the heads' mean attention.</param>
public readonly record struct SegmentAccuracy(
    double Mass, double BestHead, double FixedHead, int Head, double MeanOfHeads, double ForegroundBestHead, double ForegroundMeanOfHeads);

/// <summary>
/// The Jaccard index of attention masks with objects, as the authors computed it for figure 4 and appendix D (facebookresearch/dino, issue
/// 54),
/// over pictures given one by one. The indices are 0 to 1.
/// </summary>
public sealed class SegmentScore
{
    private readonly double[] masses;
    private readonly double[][] heads; // (mass, head)
    private readonly double[] bestHead, mean, foregroundBest, foregroundMean;

    /// <summary>Starts with no pictures.</summary>
    /// <param name="headCount">H.</param>
    /// <param name="masses">The shares of attention to make masks of: the paper's text says 0.6, its appendix 0.8.</param>
    public SegmentScore(int headCount, params ReadOnlySpan<double> masses)
    {
        this.masses = masses.ToArray();
        heads = Array.ConvertAll(this.masses, _ => new double[headCount]);
        (bestHead, mean) = (new double[masses.Length], new double[masses.Length]);
        (foregroundBest, foregroundMean) = (new double[masses.Length], new double[masses.Length]);
    }

    /// <summary>Pictures with at least one object.</summary>
    public int Pictures { get; private set; }

    /// <summary>Objects of all pictures.</summary>
    public int Objects { get; private set; }

    /// <summary>The averages so far.</summary>
    public IReadOnlyList<SegmentAccuracy> Accuracies
    {
        get
        {
            double count = Math.Max(1, Pictures);
            var result = new SegmentAccuracy[masses.Length];
            for (int m = 0; m < result.Length; m++)
            {
                int head = Array.IndexOf(heads[m], heads[m].Max());
                result[m] = new SegmentAccuracy(masses[m], bestHead[m] / count, heads[m][head] / count, head + 1, mean[m] / count,
                    foregroundBest[m] / count, foregroundMean[m] / count);
            }
            return result;
        }
    }

    /// <summary>Takes in a picture; one without objects changes nothing.</summary>
    /// <param name="attention">The picture's attention.</param>
    /// <param name="objects">
    /// (height, width): the object that each pixel shows; 0 is background. Its size need not be the picture's.
    /// </param>
    /// <param name="width">Width of the map of objects.</param>
    /// <param name="height">Height of the map of objects.</param>
    /// <returns>The picture's own indices for the first mass: of each object in ascending order of its id, with its best head.</returns>
    public double[] Add(AttentionPicture attention, ReadOnlySpan<byte> objects, int width, int height)
    {
        var overlap = new PatchOverlap(objects, width, height, attention.Rows, attention.Columns);
        int count = overlap.Ids.Count, patches = attention.Rows * attention.Columns;
        double[] first = [];
        if (count == 0)
            return first;
        Pictures++;
        Objects += count;
        for (int m = 0; m < masses.Length; m++)
        {
            bool[] masks = AttentionMask.AttentionMassMask(attention.Attention, attention.Heads, masses[m]);
            bool[] meanMask = AttentionPicture.Mask(attention.Mean, masses[m]);
            double[] best = new double[count];
            double foreground = 0;
            for (int head = 0; head < attention.Heads; head++)
            {
                var mask = masks.AsSpan(head * patches, patches);
                for (int place = 0; place < count; place++)
                {
                    double jaccard = overlap.Jaccard(place, mask);
                    best[place] = Math.Max(best[place], jaccard);
                    heads[m][head] += jaccard / count;
                }
                foreground = Math.Max(foreground, overlap.Foreground(mask));
            }
            bestHead[m] += best.Average();
            foregroundBest[m] += foreground;
            for (int place = 0; place < count; place++)
                mean[m] += overlap.Jaccard(place, meanMask) / count;
            foregroundMean[m] += overlap.Foreground(meanMask);
            if (m == 0)
                first = best;
        }
        return first;
    }
}
