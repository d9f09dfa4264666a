namespace Dino.Train.Evaluation.Segmentation;

/// <summary>A measure over the frames of a video (Perazzi et al. 2016, section 5.2).</summary>
/// <param name="Mean">The average.</param>
/// <param name="Recall">The share of frames above 0.5.</param>
/// <param name="Decay">The average of the first quarter of the frames less that of the last.</param>
public readonly record struct MeasureStatistics(double Mean, double Recall, double Decay)
{
    /// <summary>The statistics of an object's frames in order.</summary>
    public static MeasureStatistics Of(IReadOnlyList<double> frames)
    {
        // As in the DAVIS package: quarters share their border frames, the borders rounded half up.
        int[] borders = [.. Enumerable.Range(0, 5).Select(i => (int)Math.Round(1 + (frames.Count - 1) * i / 4.0 + 1e-10) - 1)];
        double Quarter(int i) => frames.Skip(borders[i]).Take(borders[i + 1] - borders[i] + 1).Average();
        return new(frames.Average(), frames.Average(value => value > 0.5 ? 1.0 : 0.0), Quarter(0) - Quarter(3));
    }

    /// <summary>The mean of the statistics of several objects.</summary>
    public static MeasureStatistics MeanOf(IReadOnlyCollection<MeasureStatistics> objects) =>
        new(objects.Average(o => o.Mean), objects.Average(o => o.Recall), objects.Average(o => o.Decay));
}

/// <summary>What was reached on one object of one video.</summary>
/// <param name="Sequence">The video.</param>
/// <param name="Id">The object.</param>
/// <param name="J">Region similarity.</param>
/// <param name="F">Boundary accuracy.</param>
public readonly record struct ObjectScore(string Sequence, byte Id, MeasureStatistics J, MeasureStatistics F);

/// <summary>
/// J and F of the objects of one video, frame by frame. As the DAVIS benchmark does, the first frame, which is given, and the last one are
/// to be left out, unless there is no other.
/// </summary>
/// <param name="sequence">The video.</param>
/// <param name="ids">The objects: the ids of its first mask, which need not be 1 … n.</param>
public sealed class VideoScore(string sequence, IReadOnlyList<byte> ids)
{
    private readonly List<double>[] j = New(ids.Count), f = New(ids.Count);

    /// <summary>Takes in a frame: ids by pixel, found and annotated.</summary>
    public void Add(ReadOnlySpan<byte> labels, ReadOnlySpan<byte> truth, int width, int height)
    {
        for (int i = 0; i < j.Length; i++)
        {
            j[i].Add(RegionMeasures.Jaccard(labels, truth, ids[i]));
            f[i].Add(RegionMeasures.BoundaryF(labels, truth, width, height, ids[i]));
        }
    }

    /// <summary>The objects' scores; none if no frame was taken in.</summary>
    public IReadOnlyList<ObjectScore> Objects =>
        [.. j.Select((frames, i) => (frames, i)).Where(entry => entry.frames.Count > 0).Select(entry => new ObjectScore(
            sequence, ids[entry.i], MeasureStatistics.Of(entry.frames), MeasureStatistics.Of(f[entry.i])))];

    private static List<double>[] New(int count) => [.. Enumerable.Range(0, count).Select(_ => new List<double>())];
}
