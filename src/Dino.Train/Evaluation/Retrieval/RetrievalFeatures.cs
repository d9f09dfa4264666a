using System.Diagnostics.CodeAnalysis;
using Dino.Model;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.Retrieval;

/// <summary>The class token of a picture in its own proportions, at one scale or as the mean of three (eval_image_retrieval.py).</summary>
/// <param name="backbone">The network, with its parameters on <paramref name="device"/>.</param>
/// <param name="device">Where to compute.</param>
/// <param name="size">Pictures with a longer side are shrunk to it.</param>
/// <param name="multiScale">Whether the scales are 1, 1/√2 and 1/2.</param>
/// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
public sealed class RetrievalFeatures(
    Backbone backbone, Device device, int size, bool multiScale, Preprocessing? preprocessing = null)
{
    private readonly Normalize normalize = (preprocessing ?? new()).NormalizeFor(backbone.Channels);
    private readonly PictureResize resample = new();
    private readonly DecodedPicture cropped = new(), small = new();

    /// <summary>Writes a picture's feature, D numbers of L2 norm 1.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="box">The part of it to take (left, top, right, bottom), or null for all.</param>
    /// <param name="feature">Where to.</param>
    /// <exception cref="EvaluationException">There is not the memory for it.</exception>
    /// <exception cref="ArgumentException">
    /// At some scale the picture is smaller than a patch, or the network's numbers are not finite.
    /// </exception>
    public void Compute(DecodedPicture picture, IReadOnlyList<double>? box, Span<float> feature)
    {
        if (!TryCompute(picture, box, feature, out string? reason))
            throw new ArgumentException(reason);
    }

    /// <summary>The same, but a picture that is too small is no error.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="box">The part of it to take (left, top, right, bottom), or null for all.</param>
    /// <param name="feature">Where to.</param>
    /// <param name="reason">Why there is no feature.</param>
    internal bool TryCompute(
        DecodedPicture picture, IReadOnlyList<double>? box, Span<float> feature, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        if (box is not null)
        {
            int left = Math.Clamp((int)Math.Round(box[0]), 0, picture.Width - 1),
                top = Math.Clamp((int)Math.Round(box[1]), 0, picture.Height - 1);
            int right = Math.Clamp((int)Math.Round(box[2]), left + 1, picture.Width),
                bottom = Math.Clamp((int)Math.Round(box[3]), top + 1, picture.Height);
            resample.Crop(picture, new CropBox(left, top, right - left, bottom - top), cropped, right - left, bottom - top);
            picture = cropped;
        }
        var (width, height) = Thumbnail(picture.Width, picture.Height, size);
        if (width != picture.Width || height != picture.Height)
        {
            resample.Resize(picture, small, width, height, ResampleFilter.Lanczos);
            picture = small;
        }
        int channels = backbone.Channels;
        ForwardMemory.Check(backbone, device, 1, height, width, "a smaller `Retrieval.Size`");
        float[] pixels = new float[channels * width * height], token = new float[feature.Length];
        normalize.Apply(picture, pixels);
        feature.Clear();
        foreach (double scale in multiScale ? (double[])[1, 1 / Math.Sqrt(2), 0.5] : [1])
        {
            var (scaled, w, h) = scale == 1 ? (pixels, width, height) : Shrink(pixels, width, height, scale);
            if (w < backbone.SmallestSize || h < backbone.SmallestSize)
            {
                reason = $"at {w} × {h} pixels it is smaller than {(backbone is IAttentive ? "a patch of" : "the network's least,")} "
                    + $"{backbone.SmallestSize}: use a larger `Retrieval.Size`";
                return false;
            }
            using (device.BeginArena())
                backbone.Forward(Tensor.From(device, scaled, new Shape(1, channels, h, w))).CopyTo(token);
            for (int i = 0; i < token.Length; i++)
                feature[i] += token[i];
        }
        double norm = 0;
        foreach (float value in feature)
            norm += (double)value * value;
        if (!(norm > 0 && double.IsFinite(norm)))
            throw new ArgumentException("The feature has no finite length above 0: the network has failed.");
        foreach (ref float value in feature)
            value = (float)(value / Math.Sqrt(norm));
        return true;
    }

    /// <summary>
    /// The size of Pillow's <c>thumbnail</c>: at most <paramref name="size"/> along either side, in the nearest proportion.
    /// </summary>
    internal static (int Width, int Height) Thumbnail(int width, int height, int size)
    {
        if (width <= size && height <= size)
            return (width, height);
        double aspect = (double)width / height;
        int Nearest(double exact, Func<double, double> error)
        {
            double low = Math.Floor(exact), high = Math.Ceiling(exact);
            return (int)Math.Max(1, error(low) <= error(high) ? low : high);
        }
        return aspect <= 1
            ? (Nearest(size * aspect, n => Math.Abs(aspect - n / size)), size)
            : (size, Nearest(size / aspect, n => n == 0 ? 0 : Math.Abs(aspect - size / n)));
    }

    /// <summary>
    /// Bilinear, without antialiasing, as torch's <c>interpolate</c> with a scale factor: (C, h, w) of floor(scale · size).
    /// </summary>
    internal static (float[] Pixels, int Width, int Height) Shrink(float[] pixels, int width, int height, double scale)
    {
        int channels = pixels.Length / (width * height), w = (int)Math.Floor(width * scale), h = (int)Math.Floor(height * scale);
        float[] result = new float[channels * w * h];
        for (int y = 0; y < h; y++)
        {
            var (top, v) = At(y, height);
            int bottom = Math.Min(top + 1, height - 1);
            for (int x = 0; x < w; x++)
            {
                var (left, u) = At(x, width);
                int right = Math.Min(left + 1, width - 1);
                for (int c = 0; c < channels; c++)
                {
                    int plane = c * width * height;
                    float upper = (1 - u) * pixels[plane + top * width + left] + u * pixels[plane + top * width + right];
                    float lower = (1 - u) * pixels[plane + bottom * width + left] + u * pixels[plane + bottom * width + right];
                    result[(c * h + y) * w + x] = (1 - v) * upper + v * lower;
                }
            }
        }
        return (result, w, h);

        // The coordinate goes by the scale that was given, not by the ratio of the sizes.
        (int First, float Weight) At(int i, int limit)
        {
            float at = Math.Max(0, (float)((i + 0.5) / scale - 0.5));
            int first = Math.Min((int)at, limit - 1);
            return (first, at - first);
        }
    }
}
