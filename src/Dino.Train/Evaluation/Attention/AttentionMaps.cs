using Dino.Model;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Segmentation;

namespace Dino.Train.Evaluation.Attention;

/// <summary>Where the class token of the last block looks (paper, section 4.2.2 and figure 1).</summary>
/// <param name="backbone">A network with attention, and its parameters on <paramref name="device"/>.</param>
/// <param name="device">Where to compute.</param>
/// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
/// <exception cref="ArgumentException">The network has no attention, or there are no such pictures.</exception>
public sealed class AttentionMaps(Backbone backbone, Device device, Preprocessing? preprocessing = null)
{
    private readonly Normalize normalize = (preprocessing ?? new()).NormalizeFor(backbone.Channels);
    private readonly IAttentive attentive = backbone.Attentive();
    private readonly PictureResize resample = new();
    private readonly DecodedPicture resized = new();

    /// <summary>Channels of the pictures that the network takes.</summary>
    public int Channels => backbone.Channels;

    /// <summary>What reads pictures for the network.</summary>
    /// <param name="maxPixels">Pictures with more pixels are refused.</param>
    public PictureReader OpenReader(int maxPixels = ImageDecoder.DefaultMaxPixels) => new(preprocessing, Channels, maxPixels);

    /// <summary>Pixels along the side of the network's patches.</summary>
    public int Patch => attentive.Patch;

    /// <summary>
    /// The attention of a picture, resized so that its shorter side has about <paramref name="size"/> pixels and both sides are whole
    /// patches;
    /// the longer side has at most <see cref="PictureGrid.LongestRatio"/> times as many.
    /// </summary>
    /// <exception cref="EvaluationException">There is not the memory for it.</exception>
    public AttentionPicture Of(string name, DecodedPicture picture, int size) =>
        Of(name, picture, PictureGrid.Of(picture.Width, picture.Height, size, Patch));

    /// <summary>The attention of a picture, resized to so many whole patches.</summary>
    /// <exception cref="EvaluationException">There is not the memory for it.</exception>
    public AttentionPicture Of(string name, DecodedPicture picture, PictureGrid grid)
    {
        int width = grid.Columns * Patch, height = grid.Rows * Patch;
        ForwardMemory.Check(backbone, device, 1, height, width, "a smaller `Attention.Size`");
        resample.Resize(picture, resized, width, height);
        float[] pixels = new float[Channels * width * height];
        normalize.Apply(resized, pixels);

        using var arena = device.BeginArena();
        var rows = attentive.FirstTokenAttention(Tensor.From(device, pixels, new Shape(1, Channels, height, width))); // (1, H, patches)
        return new AttentionPicture(
            name, resized.ToRgb().Pixels.ToArray(), width, height, rows.ToArray(), rows.Shape[1], grid.Rows, grid.Columns);
    }

    /// <summary>The Jaccard index of every object with the mask of its best head, mass 0.6 (paper, figure 4).</summary>
    /// <param name="attention">The picture's attention.</param>
    /// <param name="objects">Object ids by pixel, 0 for background, of <paramref name="width"/> × <paramref name="height"/>.</param>
    /// <param name="width">Width of the id map.</param>
    /// <param name="height">Height of the id map.</param>
    public static double[] Jaccard(AttentionPicture attention, ReadOnlySpan<byte> objects, int width, int height) =>
        new SegmentScore(attention.Heads, 0.6).Add(attention, objects, width, height);
}
