using System.Buffers;
using System.Globalization;
using Dino.Tensors;
using Dino.Tensors.Ops;

namespace Dino.Train.Evaluation.Segmentation;

/// <summary>How labels go from frame to frame (eval_video_segmentation.py; Jabri et al. 2020).</summary>
public sealed record LabelPropagationOptions
{
    /// <summary>Frames before the current one that labels are taken from, beside the first frame.</summary>
    public int LastFrames { get; init; } = 7;

    /// <summary>Patches that a label may move between two frames, along either side; 0 for any number.</summary>
    public int Radius { get; init; } = 12;

    /// <summary>Patches, of all those frames together, that a label is averaged over.</summary>
    public int TopK { get; init; } = 5;

    /// <summary>T: a patch of cosine similarity s has the weight e^(s/T).</summary>
    public double Temperature { get; init; } = 0.1;

    internal void Validate()
    {
        if (LastFrames < 0 || Radius < 0 || TopK < 1 || Temperature is not (> 0 and < double.PositiveInfinity))
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture,
                    $"Labels cannot be propagated from {LastFrames} frames within {Radius} patches by the {TopK} nearest at temperature "
                        + $"{Temperature}."));
    }
}

/// <summary>
/// Soft labels of the patches of a video, frame by frame: each patch takes the weighted average of its most similar patches' labels in the
/// first frame and the last few (paper, section 4.2.2, appendix F).
/// </summary>
/// <remarks>
/// Similarities are computed on the device for one row of patches at a time, against the rows within the radius, so no matrix of all pairs
/// exists. Letters: C classes with the background as class 0, N patches, D width.
/// </remarks>
public sealed class LabelPropagation : IDisposable
{
    private readonly Device device;
    private readonly LabelPropagationOptions options;
    private readonly int rows, columns;
    private readonly Queue<Frame> last = new();
    private readonly Frame first;

    /// <summary>Begins at the first frame of a video.</summary>
    /// <param name="device">Where to compare.</param>
    /// <param name="features">Patch features (N, D), of any lengths.</param>
    /// <param name="labels">(C, N): how much each patch shows of each class.</param>
    /// <param name="rows">Patches from top to bottom.</param>
    /// <param name="columns">Patches from left to right; N = rows · columns.</param>
    /// <param name="options">Null for the reference's.</param>
    /// <exception cref="ArgumentException">The sizes do not fit, or an option cannot be.</exception>
    public LabelPropagation(
        Device device, ReadOnlySpan<float> features, float[] labels, int rows, int columns, LabelPropagationOptions? options = null)
    {
        (this.device, this.rows, this.columns, this.options) = (device, rows, columns, options ?? new LabelPropagationOptions());
        this.options.Validate();
        int patches = rows * columns;
        if (patches == 0 || labels.Length == 0 || labels.Length % patches != 0 || features.Length == 0 || features.Length % patches != 0)
            throw new ArgumentException($"{features.Length} features and {labels.Length} labels are not of {rows} × {columns} patches.");
        Classes = labels.Length / patches;
        first = new Frame(Normalized(features), labels);
    }

    /// <summary>C.</summary>
    public int Classes { get; }

    /// <summary>Bytes that a video takes, from the sizes alone; the largest number where they are more than one array holds.</summary>
    internal static long BytesOf(int rows, int columns, int dim, int classes, int frames, LabelPropagationOptions options)
    {
        double context = Math.Min(frames, 1.0 + options.LastFrames), patches = (double)rows * columns;
        double similarities = context * columns * Band(rows, columns, options.Radius);
        double floats = similarities + (context + 2) * patches * (dim + classes);
        return similarities > Array.MaxLength ? long.MaxValue : (long)(sizeof(float) * floats);
    }

    /// <summary>Patches that one row of the grid is compared with in each frame.</summary>
    private static double Band(int rows, int columns, int radius) =>
        radius > 0 ? Math.Min(rows, 2.0 * radius + 1) * columns : (double)rows * columns;

    /// <summary>The soft labels (C, N) of the next frame, from which later frames take theirs.</summary>
    /// <param name="features">Patch features (N, D), of any lengths.</param>
    public float[] Next(ReadOnlySpan<float> features)
    {
        var target = Normalized(features);
        Frame[] context = [first, .. last];
        float[] labels = new float[Classes * rows * columns];
        int reach = Math.Min(options.Radius > 0 ? options.Radius : int.MaxValue, Math.Max(rows, columns));
        float[] similarities = ArrayPool<float>.Shared.Rent(checked((int)(context.Length * columns * Band(rows, columns, options.Radius))));
        try
        {
            for (int row = 0; row < rows; row++)
            {
                int from = Math.Max(0, row - reach), to = Math.Min(rows, row + reach + 1), keys = (to - from) * columns;
                using (device.BeginArena())
                {
                    var query = target.Slice(0, row * columns, columns); // (columns, D)
                    for (int c = 0; c < context.Length; c++)
                        query.MatMul(context[c].Features.Slice(0, from * columns, keys), transposeB: true)
                            .CopyTo(similarities.AsSpan(c * columns * keys, columns * keys));
                }
                int current = row;
                Parallel.For(0, columns, column => Average(similarities, context, keys, from, current, column, reach, labels));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(similarities);
        }
        last.Enqueue(new Frame(target, labels));
        if (last.Count > options.LastFrames)
            last.Dequeue().Features.Dispose();
        return labels;
    }

    /// <summary>Gives the frames' memory back.</summary>
    public void Dispose()
    {
        first.Features.Dispose();
        foreach (var frame in last)
            frame.Features.Dispose();
        last.Clear();
    }

    /// <summary>
    /// Upsamples one class's labels (rows, columns) bilinearly by the patch size (torch's <c>interpolate</c>, align_corners False) and
    /// stretches
    /// them to 0 … 1; a class without any label stays 0.
    /// </summary>
    public static void DecodePlane(ReadOnlySpan<float> soft, int rows, int columns, int patch, Span<float> plane)
    {
        int width = columns * patch, height = rows * patch;
        var (leftOf, weightOf) = Taps(columns, patch);
        var (topOf, heightOf) = Taps(rows, patch);
        float low = float.MaxValue, high = float.MinValue;
        for (int y = 0; y < height; y++)
        {
            var upper = soft.Slice(topOf[y] * columns, columns);
            var lower = soft.Slice(Math.Min(topOf[y] + 1, rows - 1) * columns, columns);
            float v = heightOf[y];
            for (int x = 0; x < width; x++)
            {
                int left = leftOf[x], right = Math.Min(left + 1, columns - 1);
                float u = weightOf[x];
                float value = (1 - v) * ((1 - u) * upper[left] + u * upper[right]) + v * ((1 - u) * lower[left] + u * lower[right]);
                plane[y * width + x] = value;
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
            }
        }
        if (!(high > 0))
            return;
        float range = high - low;
        for (int i = 0; i < width * height; i++)
            plane[i] = range > 0 ? (plane[i] - low) / range : plane[i] - low;
    }

    /// <summary>The class of each pixel (rows · patch, columns · patch): the highest plane, of equal ones the first.</summary>
    public static byte[] Decode(ReadOnlySpan<float> soft, int classes, int rows, int columns, int patch)
    {
        int pixels = rows * columns * patch * patch, patches = rows * columns;
        float[] plane = new float[pixels], best = new float[pixels];
        byte[] decoded = new byte[pixels];
        for (int c = 0; c < classes; c++)
        {
            DecodePlane(soft.Slice(c * patches, patches), rows, columns, patch, plane);
            for (int i = 0; i < pixels; i++)
            {
                if (c == 0 || plane[i] > best[i])
                    (best[i], decoded[i]) = (plane[i], (byte)c);
            }
        }
        return decoded;
    }

    private static (int[] First, float[] Weight) Taps(int count, int patch)
    {
        int[] first = new int[count * patch];
        float[] weight = new float[first.Length];
        for (int i = 0; i < first.Length; i++)
        {
            float at = Math.Max(0, (i + 0.5f) / patch - 0.5f);
            first[i] = (int)at;
            weight[i] = at - first[i];
        }
        return (first, weight);
    }

    private Tensor Normalized(ReadOnlySpan<float> features)
    {
        using var scope = device.BeginArena();
        int patches = rows * columns;
        return scope.Keep(Tensor.From(device, features, new Shape(patches, features.Length / patches)).L2Normalize());
    }

    /// <summary>
    /// Labels of one patch. The similarities are (frames, columns, keys), keys being the patches of the rows from <paramref name="from"/>
    /// on.
    /// </summary>
    private void Average(
        float[] similarities, Frame[] context, int keys, int from, int row, int column, int reach, float[] labels)
    {
        int left = Math.Max(0, column - reach), right = Math.Min(columns, column + reach + 1), bandRows = keys / columns, k = options.TopK;
        Span<float> nearest = k <= 256 ? stackalloc float[k] : new float[k]; // descending
        int found = 0;
        for (int c = 0; c < context.Length; c++)
        {
            for (int r = 0; r < bandRows; r++)
            {
                var line = similarities.AsSpan((c * columns + column) * keys + r * columns + left, right - left);
                foreach (float value in line)
                {
                    if (found == k && !(value > nearest[k - 1]))
                        continue;
                    int place = found < k ? found++ : k - 1;
                    while (place > 0 && nearest[place - 1] < value)
                    {
                        nearest[place] = nearest[place - 1];
                        place--;
                    }
                    nearest[place] = value;
                }
            }
        }
        // As in the reference, all patches as near as the k-th one count, and fewer than k in reach are taken as they are.
        float threshold = found == k ? nearest[k - 1] : float.NegativeInfinity;
        int patches = rows * columns, target = row * columns + column;
        Span<double> sums = Classes <= 256 ? stackalloc double[Classes] : new double[Classes];
        sums.Clear();
        double total = 0, origin = 1 / options.Temperature > 600 ? nearest[0] : 0; // beyond, the weights would overflow, or all vanish
        for (int c = 0; c < context.Length; c++)
        {
            for (int r = 0; r < bandRows; r++)
            {
                int start = (c * columns + column) * keys + r * columns;
                for (int x = left; x < right; x++)
                {
                    float value = similarities[start + x];
                    if (!(value >= threshold))
                        continue;
                    double weight = Math.Exp((value - origin) / options.Temperature);
                    total += weight;
                    int source = (from + r) * columns + x;
                    for (int label = 0; label < sums.Length; label++)
                        sums[label] += weight * context[c].Labels[label * patches + source];
                }
            }
        }
        for (int label = 0; label < sums.Length; label++)
            labels[label * patches + target] = (float)(sums[label] / total);
    }

    /// <summary>A frame's normalised features (N, D) and labels (C, N).</summary>
    private readonly record struct Frame(Tensor Features, float[] Labels);
}
