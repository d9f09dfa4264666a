using Dino.Model;
using Dino.Tensors;
using Dino.Train.Data;

namespace Dino.Train.Eval;

/// <summary>Where the class token of the last block looks (paper, section 4.2.2 and figure 1).</summary>
public sealed class AttentionMaps(VisionTransformer backbone, Device device)
{
    private readonly Resample resample = new();
    private readonly RgbImage resized = new();

    /// <summary>
    /// The attention of a picture, resized so that its shorter side has about <paramref name="size"/> pixels and both sides are whole patches.
    /// </summary>
    public AttentionPicture Of(string name, RgbImage picture, int size)
    {
        int patch = backbone.Config.Patch;
        double scale = (double)size / Math.Min(picture.Width, picture.Height);
        int Whole(int side) => Math.Max(1, (int)Math.Round(side * scale / patch)) * patch;
        int width = Whole(picture.Width), height = Whole(picture.Height);
        resample.Resize(picture, resized, width, height);
        float[] pixels = new float[3 * width * height];
        Normalize.ImageNet.Apply(resized, pixels);

        using var arena = device.BeginArena();
        var weights = backbone.LastSelfAttention(Tensor.From(device, pixels, new Shape(1, 3, height, width))); // (1, H, N, N)
        int heads = weights.Shape[1], tokens = weights.Shape[2], first = backbone.Config.FirstPatch, patches = tokens - first;
        float[] all = weights.ToArray(), rows = new float[heads * patches];
        for (int head = 0; head < heads; head++) // the class token's query, without its own key and those of registers
            all.AsSpan(head * tokens * tokens + first, patches).CopyTo(rows.AsSpan(head * patches));
        return new AttentionPicture(name, resized.Pixels.ToArray(), width, height, rows, heads, height / patch, width / patch);
    }

    /// <summary>The Jaccard index of every object with the mask of its best head, mass 0.6 (paper, figure 4).</summary>
    /// <param name="attention">The picture's attention.</param>
    /// <param name="objects">Object ids by pixel, 0 for background, of <paramref name="width"/> × <paramref name="height"/>.</param>
    /// <param name="width">Width of the id map.</param>
    /// <param name="height">Height of the id map.</param>
    public static double[] Jaccard(AttentionPicture attention, ReadOnlySpan<byte> objects, int width, int height) =>
        new SegmentScore(attention.Heads, 0.6).Add(attention, objects, width, height);
}
