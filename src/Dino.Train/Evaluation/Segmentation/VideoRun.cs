using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Ops;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.Segmentation;

/// <summary>
/// Follows the objects annotated in a video's first frame through the others by the similarity of patch features
/// (eval_video_segmentation.py; paper, section 4.2.2).
/// </summary>
/// <param name="backbone">A network with patch tokens, and its parameters on <paramref name="device"/>.</param>
/// <param name="device">Where to compute.</param>
/// <param name="size">The shorter side of the frames that the network sees: 480 in the paper.</param>
/// <param name="options">How labels are propagated.</param>
/// <param name="preprocessing">How stored values become inputs; null for 8 bits and the reference's mean and deviation.</param>
public sealed class VideoRun(
    Backbone backbone, Device device, int size, LabelPropagationOptions options, Preprocessing? preprocessing = null) : IDisposable
{
    private const int Step = 64; // of the longer side, in the reference

    private readonly IAttentive attentive = backbone.Attentive();

    // The reference's first deviation is .228; kept for equal features.
    private readonly Normalize normalize = preprocessing?.Mean is not null ? preprocessing.NormalizeFor(backbone.Channels)
        : Normalize.Of(backbone.Channels, [0.485, 0.456, 0.406], [0.228, 0.224, 0.225]);

    private readonly DecodedPicture frame = new(), resized = new();
    private PictureReader decoder = new(preprocessing, backbone.Channels);

    /// <summary>Pictures with more pixels than this are refused.</summary>
    public int MaxPixels
    {
        get;
        init
        {
            field = value;
            decoder.Dispose();
            decoder = new PictureReader(preprocessing, backbone.Channels, value);
        }
    } = ImageDecoder.DefaultMaxPixels;

    /// <summary>Takes in later frames and masks that cannot be read or have another size: the video is followed without them.</summary>
    public SkippedFiles Skipped { get; init; } = new();

    /// <summary>Is told the name of a video and what a person should know of its result.</summary>
    public Action<string, string>? OnNote { get; init; }

    /// <summary>
    /// Follows the objects of a video: those whose ids the first mask shows. Others that appear later are not followed, as in DAVIS.
    /// </summary>
    /// <param name="video">The frames, with at least the first one's mask.</param>
    /// <param name="kind">How masks are to be read.</param>
    /// <param name="onFrame">
    /// Is given each frame's number and ids by pixel, in the size of the first mask; the first frame's as annotated.
    /// </param>
    /// <param name="cancel">Stops between two frames.</param>
    /// <returns>J and F of every object whose later frames are annotated.</returns>
    /// <exception cref="EvaluationException">The first frame or its mask cannot be read, or there is not the memory.</exception>
    public IReadOnlyList<ObjectScore> Follow(
        VideoSequence video, MaskKind kind, Action<int, LabelMap>? onFrame = null, CancellationToken cancel = default)
    {
        var given = LabelMap.Read(video.Annotations[0]!, ref kind, MaxPixels);
        if (given.Doubt is { } doubt)
            OnNote?.Invoke(video.Name, doubt);
        byte[] ids = [.. given.Objects];
        int patch = attentive.Patch;
        if (ids.Length == 0)
            throw new EvaluationException($"{video.Annotations[0]} shows no object to follow.");
        if (Features(video.Frames[0], out int rows, out int columns, out string fault) is not { } features)
            throw new EvaluationException($"{video.Frames[0]}: {fault.TrimEnd('.')}.");
        if (frame.Width != given.Width || frame.Height != given.Height)
            throw new EvaluationException($"{video.Annotations[0]} has {given.Width} × {given.Height} pixels, its frame {frame.Width} × "
                + $"{frame.Height}.");
        long bytes = LabelPropagation.BytesOf(rows, columns, backbone.Width, ids.Length + 1, video.Frames.Count, options);
        if (bytes > HostMemory.AvailableBytes)
            throw new EvaluationException(
                $"Following {ids.Length} objects over {rows} × {columns} patches would take {bytes >> 20} MiB, and the machine has "
                + $"{HostMemory.AvailableBytes >> 20} MiB left: a smaller `Video.Size`, `Video.Radius` or `Video.LastFrames` needs less.");
        byte[] small = Nearest(given.Ids, given.Width, given.Height, columns, rows);
        // A plane for the background and for each object that is there, whatever its number.
        byte[] classes = [0, .. ids];
        float[] labels = new float[classes.Length * small.Length];
        for (int i = 0; i < small.Length; i++)
            labels[Array.IndexOf(classes, small[i]) * small.Length + i] = 1;
        foreach (byte id in ids)
        {
            if (!small.Contains(id))
                OnNote?.Invoke(video.Name, $"object {id} is too small for a patch of the network at this `Video.Size`: it cannot be "
                    + $"found again");
        }

        using var propagation = new LabelPropagation(device, features, labels, rows, columns, options);
        var score = new VideoScore(video.Name, ids);
        onFrame?.Invoke(0, given);
        int firstRows = rows, firstColumns = columns;
        var later = new SortedDictionary<byte, string>();
        bool scored = false;
        for (int i = 1; i < video.Frames.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            // Labels go from the frames before one that is left out to those behind it.
            if (Features(video.Frames[i], out rows, out columns, out fault) is not { } next)
            {
                Skipped.Report(video.Frames[i], fault);
                continue;
            }
            if (rows != firstRows || columns != firstColumns)
            {
                Skipped.Report(video.Frames[i],
                    $"it has {frame.Width} × {frame.Height} pixels, the first frame {given.Width} × {given.Height}");
                continue;
            }
            byte[] decoded = LabelPropagation.Decode(propagation.Next(next), classes.Length, rows, columns, patch);
            for (int pixel = 0; pixel < decoded.Length; pixel++)
                decoded[pixel] = classes[decoded[pixel]];
            var found = new LabelMap(Nearest(decoded, columns * patch, rows * patch, given.Width, given.Height), given.Width, given.Height);
            onFrame?.Invoke(i, found);
            bool counts = i < video.Frames.Count - 1 || video.Frames.Count == 2;
            if (counts && video.Annotations[i] is { } annotation)
            {
                if (LabelMap.TryRead(annotation, ref kind, Skipped, MaxPixels) is not { } truth)
                    continue;
                if (truth.Width != given.Width || truth.Height != given.Height)
                {
                    Skipped.Report(annotation,
                        $"it has {truth.Width} × {truth.Height} pixels, the first mask {given.Width} × {given.Height}");
                    continue;
                }
                score.Add(found.Ids, truth.Ids, truth.Width, truth.Height);
                scored = true;
                foreach (byte id in truth.Objects.Except(ids))
                    later.TryAdd(id, Path.GetFileNameWithoutExtension(annotation));
            }
        }
        foreach (var (id, first) in later)
            OnNote?.Invoke(video.Name, $"object {id} is not in the first mask but from {first} on: it is not followed, nor counted");
        if (!scored)
            OnNote?.Invoke(video.Name, video.Frames.Count == 1 ? "it has one frame: there is nothing to follow"
                : "no later frame that counts has a mask: it is followed, not scored");
        return score.Objects;
    }

    /// <summary>Gives the decoder's memory back.</summary>
    public void Dispose() => decoder.Dispose();

    /// <summary>Patch tokens (N, D) of the last block after the norm; null where the frame cannot be read.</summary>
    private float[]? Features(string path, out int rows, out int columns, out string fault)
    {
        (rows, columns, fault) = (0, 0, "");
        try
        {
            decoder.Read(path, frame);
        }
        catch (ImageDecodeException e)
        {
            fault = e.Reason;
            return null;
        }
        int patch = attentive.Patch, step = Step % patch == 0 ? Step : patch;
        int shorter = Math.Max(1, size / patch) * patch;
        double ratio = Math.Min(PictureGrid.LongestRatio,
            (double)Math.Max(frame.Width, frame.Height) / Math.Min(frame.Width, frame.Height));
        int longer = (int)(size * ratio) / step * step;
        longer = Math.Max(longer, shorter / step * step is > 0 and var least ? least : shorter);
        var (width, height) = frame.Height > frame.Width ? (shorter, longer) : (longer, shorter);
        ForwardMemory.Check(backbone, device, 1, height, width, "a smaller `Video.Size`");
        PictureResize.Bilinear(frame, resized, width, height);
        float[] pixels = new float[normalize.Channels * width * height];
        normalize.Apply(resized, pixels);
        (rows, columns) = (height / patch, width / patch);

        using var arena = device.BeginArena();
        // (1, K + N, D)
        var tokens = attentive.IntermediateLayers(Tensor.From(device, pixels, new Shape(1, normalize.Channels, height, width)), 1)[0];
        return attentive.Patches(tokens).Reshape(new Shape(rows * columns, backbone.Width)).ToArray();
    }

    /// <summary>Each pixel takes the one that its centre falls into, as Pillow's nearest.</summary>
    private static byte[] Nearest(byte[] source, int width, int height, int toWidth, int toHeight)
    {
        byte[] result = new byte[toWidth * toHeight];
        for (int y = 0; y < toHeight; y++)
        {
            int row = Math.Min((int)((y + 0.5) * height / toHeight), height - 1) * width;
            for (int x = 0; x < toWidth; x++)
                result[y * toWidth + x] = source[row + Math.Min((int)((x + 0.5) * width / toWidth), width - 1)];
        }
        return result;
    }
}
